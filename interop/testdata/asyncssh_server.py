# asyncssh as a server: runs commands in the shell and shows all files.
# Its one argument is a JSON object; see matrix_servers_test.go. It prints its
# port and serves until its standard input ends.
import asyncio
import json
import sys

import asyncssh

a = json.loads(sys.argv[1])


async def run(process):
    p = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", process.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)

    async def feed():
        try:
            while data := await process.stdin.read(1 << 16):
                p.stdin.write(data)
                await p.stdin.drain()
            p.stdin.close()
        except OSError:
            pass

    feeding = asyncio.ensure_future(feed())
    while data := await p.stdout.read(1 << 16):
        process.stdout.write(data)
        await process.stdout.drain()
    feeding.cancel()
    process.exit(await p.wait())


class Server(asyncssh.SSHServer):
    asked = 0

    def kbdint_auth_supported(self):
        return True

    def question(self):
        q = a["questions"][self.asked]
        return "", "", "", [(q["Text"], q["Echo"])]

    def get_kbdint_challenge(self, username, lang, submethods):
        return self.question()

    def validate_kbdint_response(self, username, responses):
        if responses != [a["answers"][self.asked]]:
            return False
        self.asked += 1
        return self.question() if self.asked < len(a["questions"]) else True


async def main():
    more = {"rekey_bytes": a["rekey"]} if a["rekey"] else {}
    server = await asyncssh.listen(
        "127.0.0.1", 0, config=[], encoding=None, server_factory=Server, process_factory=run, sftp_factory=True,
        server_host_keys=[asyncssh.import_private_key(k) for k in a["host_keys"]],
        authorized_client_keys=asyncssh.import_authorized_keys("\n".join(a["user_lines"]) + "\n"), **more)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
