@rem npm on Windows gives "exec node ops/run.mjs ..." to cmd.exe, which has no exec and finds this: Node then says what is supported.
@%*
