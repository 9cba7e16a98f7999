# asyncssh as a client: runs a command, or moves a file up and down over SFTP.
# Its one argument is a JSON object; see matrix_clients_test.go.
import asyncio
import json
import os
import sys

import asyncssh

a = json.loads(sys.argv[1])


async def command(c):
    p = await c.create_process(a["command"], encoding=None)

    async def feed():
        loop = asyncio.get_running_loop()
        while data := await loop.run_in_executor(None, os.read, 0, 1 << 16):
            p.stdin.write(data)
            await p.stdin.drain()
        p.stdin.write_eof()

    feeding = asyncio.ensure_future(feed())
    while data := await p.stdout.read(1 << 16):
        sys.stdout.buffer.write(data)
    await feeding
    await p.wait_closed()
    sys.stdout.buffer.flush()
    return p.exit_status


async def files(c):
    async with c.start_sftp_client() as sftp:
        await sftp.put(a["src"], a["up"])
        await sftp.get(a["up"], a["dst"])
    return 0


class Answers(asyncssh.SSHClient):
    def kbdint_auth_requested(self):
        return ""

    def kbdint_challenge_received(self, name, instructions, lang, prompts):
        return [a["answers"][text] for text, _ in prompts]


async def main():
    known = "".join("[127.0.0.1]:%d %s\n" % (a["port"], k) for k in a["host_lines"])
    more = {"rekey_bytes": a["rekey"]} if a["rekey"] else {}
    if a.get("answers"):
        more.update(client_factory=Answers, client_keys=None)
    else:
        more.update(client_keys=[asyncssh.import_private_key(a["key"])])
    async with asyncssh.connect(
        "127.0.0.1", a["port"], username=a["user"], config=[], agent_path=None,
        known_hosts=asyncssh.import_known_hosts(known), **more,
    ) as c:
        return await (files(c) if a.get("src") else command(c))


sys.exit(asyncio.run(main()))
