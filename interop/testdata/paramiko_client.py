# paramiko as a client: runs a command, or moves a file up and down over SFTP.
# Its one argument is a JSON object; see matrix_clients_test.go.
import io
import json
import os
import socket
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


t = paramiko.Transport(socket.create_connection(("127.0.0.1", a["port"])))
if a["rekey"]:
    t.packetizer.REKEY_BYTES = a["rekey"]
t.start_client(timeout=60)
if t.get_remote_server_key().get_base64() not in a["host_keys"]:
    raise SystemExit("another host key")
if a.get("answers"):
    t.auth_interactive(a["user"], lambda name, text, prompts: [a["answers"][q] for q, _ in prompts])
else:
    t.auth_publickey(a["user"], private_key(a["key"]))

if a.get("src"):
    sftp = paramiko.SFTPClient.from_transport(t)
    sftp.put(a["src"], a["up"])
    sftp.get(a["up"], a["dst"])
    t.close()
    sys.exit(0)

channel = t.open_session()
channel.exec_command(a["command"])


def feed():
    while data := os.read(0, 1 << 16):
        channel.sendall(data)
    channel.shutdown_write()


threading.Thread(target=feed, daemon=True).start()
while data := channel.recv(1 << 16):
    sys.stdout.buffer.write(data)
sys.stdout.buffer.flush()
status = channel.recv_exit_status()
t.close()
os._exit(status)  # the other thread may wait for input
