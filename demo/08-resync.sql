-- It does. In the end billing keeps the SEATPRO, so the line is sent once more.
SELECT tbs.resync(line_id => line_id, reason => 'the sale was right') AS activities
FROM tbs.line WHERE external_id = 'leo';
