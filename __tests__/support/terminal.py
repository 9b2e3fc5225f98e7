"""
Runs a command at a terminal of its own, as a person would: waits for what is asked, and types.
argv: JSON with `command` (a line of shell), `steps` ([what is waited for, what is typed; null closes the terminal]) and `patience`
(seconds without a word after which the command is taken to hang; 60 if not given).
Prints JSON: everything that stood on the terminal, and how the command ended.
"""
import json
import os
import pty
import select
import sys

given = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", given["command"]])

seen = b""
at = 0
steps = list(given["steps"])
while True:
    ready, _, _ = select.select([terminal], [], [], given.get("patience", 60))
    if not ready:
        os.kill(pid, 9)
        sys.exit("the terminal fell silent; on it stood: %r" % seen)
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        # Linux says so of a terminal whose last user has gone.
        chunk = b""
    if not chunk:
        break
    seen += chunk
    if steps and steps[0][0].encode() in seen[at:]:
        at = len(seen)
        typed = steps.pop(0)[1]
        if typed is None:
            os.close(terminal)
            break
        os.write(terminal, typed.encode())
_, status = os.waitpid(pid, 0)
print(json.dumps({"seen": seen.decode(), "status": os.waitstatus_to_exitcode(status)}))
