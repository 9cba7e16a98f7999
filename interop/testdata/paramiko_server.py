# paramiko as a server: runs commands in the shell and shows all files.
# Its one argument is a JSON object; see matrix_servers_test.go. It prints its
# port and serves until its standard input ends.
import io
import json
import os
import socket
import subprocess
import sys
import threading

import paramiko

a = json.loads(sys.argv[1])


def private_key(text):
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except paramiko.SSHException:
            pass
    raise SystemExit("no key")


class Server(paramiko.ServerInterface):
    def get_allowed_auths(self, username):
        return "publickey,keyboard-interactive"

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL if key.get_base64() in a["users"] else paramiko.AUTH_FAILED

    def question(self):
        q = a["questions"][self.asked]
        return paramiko.InteractiveQuery("", "", (q["Text"], q["Echo"]))

    def check_auth_interactive(self, username, submethods):
        self.asked = 0
        return self.question()

    def check_auth_interactive_response(self, responses):
        if responses != [a["answers"][self.asked]]:
            return paramiko.AUTH_FAILED
        self.asked += 1
        return self.question() if self.asked < len(a["questions"]) else paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=run, args=(channel, command), daemon=True).start()
        return True


def run(channel, command):
    p = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed():
        try:
            while data := channel.recv(1 << 16):
                p.stdin.write(data)
            p.stdin.close()
        except OSError:
            pass

    threading.Thread(target=feed, daemon=True).start()
    while data := p.stdout.read1(1 << 16):
        channel.sendall(data)
    channel.send_exit_status(p.wait())
    channel.close()


class Files(paramiko.SFTPServerInterface):
    def open(self, path, flags, attr):
        try:
            fd = os.open(path, flags, 0o600)
        except OSError as e:
            return paramiko.SFTPServer.convert_errno(e.errno)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = handle.writefile = os.fdopen(fd, "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb")
        return handle

    def stat(self, path):
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(path))
        except OSError as e:
            return paramiko.SFTPServer.convert_errno(e.errno)

    lstat = stat


def serve(nc):
    t = paramiko.Transport(nc)
    if a["rekey"]:
        t.packetizer.REKEY_BYTES = a["rekey"]
    for text in a["host_keys"]:
        t.add_server_key(private_key(text))
    t.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
    try:
        t.start_server(server=Server())
    except (EOFError, paramiko.SSHException):
        pass


listener = socket.create_server(("127.0.0.1", 0), backlog=50)


def accept():
    while True:
        nc, _ = listener.accept()
        threading.Thread(target=serve, args=(nc,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
os._exit(0)
