-- Formats of telephone numbers and USOCs: one check each, with an error that says what to type instead.

-- is_telephone_number(number): true for an E.164 number (plus sign, 7 to 15 digits), otherwise check_violation with a hint.
-- Only the shape: numbering plans change too often for a list to be allowed to refuse a sale. Source: ITU-T E.164.
CREATE FUNCTION tbs.is_telephone_number(telephone_number text)
RETURNS boolean
LANGUAGE plpgsql
IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $is_telephone_number$
BEGIN
    IF telephone_number ~ '^\+[1-9][0-9]{6,14}$' THEN
        RETURN true;
    END IF;
    RAISE EXCEPTION 'malformed telephone number: "%"', telephone_number
        USING ERRCODE = 'check_violation',
              DETAIL = 'A telephone number is stored in E.164: a plus sign, the country code and the number, 7 to 15 digits.',
              HINT = 'Normalise it first, for instance: tbs.e164(''(858) 555-1234'', ''US'').';
END;
$is_telephone_number$;
COMMENT ON FUNCTION tbs.is_telephone_number(text) IS
'true for an E.164 telephone number such as +18585551234; raises check_violation (23514) with a hint for anything else';

-- is_usoc(usoc): the default check of a USOC.
CREATE FUNCTION tbs.is_usoc(usoc text)
RETURNS boolean
LANGUAGE plpgsql
IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $is_usoc$
BEGIN
    IF usoc ~ '^[A-Z0-9]{1,10}$' THEN
        RETURN true;
    END IF;
    RAISE EXCEPTION 'malformed USOC: "%"', usoc
        USING ERRCODE = 'check_violation',
              DETAIL = 'A USOC has 1 to 10 characters, capital letters and digits only.';
END;
$is_usoc$;
COMMENT ON FUNCTION tbs.is_usoc(text) IS
'true for a Universal Service Order Code (1 to 10 capital letters and digits); raises check_violation (23514) for anything else';

-- e164(number, country): common spellings to E.164. The country gives trunk prefix, country code and, where it is fixed, the length of a national number.
CREATE FUNCTION tbs.e164(number text, country text DEFAULT 'US')
RETURNS text
LANGUAGE plpgsql
IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $e164$
DECLARE
    v_digits text := regexp_replace(e164.number, '[^0-9]', '', 'g');
    v_international boolean := e164.number ~ '^\s*\(?\s*\+';
    v_country_code text;
    v_trunk_prefix text;
    v_international_prefix text;
    v_result text;
BEGIN
    -- Source: ITU-T E.164 (country codes) and E.164 national numbering plans (prefixes).
    SELECT p.country_code, p.trunk_prefix, p.international_prefix
      INTO v_country_code, v_trunk_prefix, v_international_prefix
      FROM (VALUES ('US', '1', '1', '011'), ('CA', '1', '1', '011'), ('PR', '1', '1', '011'), ('MX', '52', '', '00'),
                   ('GB', '44', '0', '00'), ('IE', '353', '0', '00'), ('DE', '49', '0', '00'), ('FR', '33', '0', '00'),
                   ('NL', '31', '0', '00'), ('BE', '32', '0', '00'), ('ES', '34', '', '00'), ('IT', '39', '', '00'),
                   ('AT', '43', '0', '00'), ('CH', '41', '0', '00'), ('SE', '46', '0', '00'), ('DK', '45', '', '00'),
                   ('NO', '47', '', '00'), ('AU', '61', '0', '0011'), ('NZ', '64', '0', '00'))
           AS p (country, country_code, trunk_prefix, international_prefix)
     WHERE p.country = upper(e164.country);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown country: "%"', e164.country
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Pass an ISO 3166 code that tbs.e164 knows (US, CA, GB, DE, ...), or write the number with plus sign and country code.';
    END IF;
    IF v_international THEN
        v_result := '+' || v_digits;
    ELSIF v_digits LIKE v_international_prefix || '%' THEN
        v_result := '+' || substr(v_digits, length(v_international_prefix) + 1);
    ELSIF v_trunk_prefix <> '' AND v_digits LIKE v_trunk_prefix || '%' THEN
        v_result := '+' || v_country_code || substr(v_digits, length(v_trunk_prefix) + 1);
    ELSE
        v_result := '+' || v_country_code || v_digits;
    END IF;
    IF v_result !~ '^\+[1-9][0-9]{6,14}$'
       OR (v_country_code = '1' AND v_result LIKE '+1%' AND length(v_result) <> 12) THEN
        RAISE EXCEPTION 'cannot make an E.164 number of "%"', e164.number
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('For country %s it would be %s.', upper(e164.country), v_result);
    END IF;
    RETURN v_result;
END;
$e164$;
COMMENT ON FUNCTION tbs.e164(text, text) IS
'normalises common spellings of a telephone number to E.164, e.g. tbs.e164(''(858) 555-1234'', ''US'') = +18585551234; raises invalid_parameter_value (22023) when it cannot';
