"""The wire between a bridge and the database, which a test can cut or hold at a chosen moment."""
import os
import socket
import threading


class Wire:
    """Listens on a port of its own and passes everything on to the cluster of the environment. The bridge's two connections are known by their names."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.lock = threading.Condition()
        self.losing = False
        self.holding = False
        self.pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def environment(self):
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.listener.getsockname()[1])}

    def lose(self):
        """From now on what the database answers on the working connection goes nowhere."""
        with self.lock:
            self.losing = True

    def hold(self):
        """From now on nobody reads what the database answers on the working connection, as if the bridge stood still."""
        with self.lock:
            self.holding = True

    def release(self):
        """What was held arrives."""
        with self.lock:
            self.holding = False
            self.lock.notify_all()

    def cut(self):
        """Ends the working connection for both sides; the next one is whole again."""
        with self.lock:
            for pair in [pair for pair in self.pairs if pair[0] == "work"]:
                self._end(pair)
            self.losing = self.holding = False
            self.lock.notify_all()

    def close(self):
        with self.lock:
            for pair in list(self.pairs):
                self._end(pair)
            self.losing = self.holding = False
            self.lock.notify_all()
        self.listener.close()

    def _end(self, pair):
        self.pairs.remove(pair)
        for side in pair[1:]:
            # close() alone would wait for who is just reading.
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        server.connect(os.path.join(os.environ["PGHOST"], ".s.PGSQL." + os.environ["PGPORT"]))
        first = client.recv(65536)
        # A request for encryption comes first; the server of the test has none.
        while len(first) == 8:
            server.sendall(first)
            client.sendall(server.recv(1))
            first = client.recv(65536)
        pair = ("listen" if b"listening" in first else "work", client, server)
        with self.lock:
            self.pairs.append(pair)
        server.sendall(first)
        answers = threading.Thread(target=self._answers, args=(pair,), daemon=True)
        answers.start()
        self._pass(client, server)
        answers.join()
        with self.lock:
            if pair in self.pairs:
                self._end(pair)
        client.close()
        server.close()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for side in (source, target):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _answers(self, pair):
        name, client, server = pair
        try:
            while True:
                data = server.recv(65536)
                if not data:
                    break
                with self.lock:
                    self.lock.wait_for(lambda: not self.holding or name != "work")
                    lost = self.losing and name == "work"
                if not lost:
                    client.sendall(data)
        except OSError:
            pass
        for side in (client, server):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
