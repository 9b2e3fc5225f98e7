// A test that loads the program afresh for each command loads the SDK's `tmp` as often, which listens for the end of the process each time.
// Node warns of eleven listeners on stderr, where tests read what a command says.
process.setMaxListeners(0);
