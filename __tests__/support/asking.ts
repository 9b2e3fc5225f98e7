/** A command that asks as many questions as it is told, and says on stdout what it made of the answers. */
import { agreed, atTerminal } from '../../ops/support/ask';

void (async () => {
  const answers: boolean[] = [];
  for (let number = 1; number <= Number(process.argv[2]); number += 1) {
    answers.push(await agreed(`Question ${number}? [y/N] `));
  }
  process.stdout.write(`${JSON.stringify({ atTerminal: atTerminal(), answers })}\n`);
})();
