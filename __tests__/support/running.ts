/** A command that runs a CLI, in a process of its own that a person or a supervisor can stop. Prints how the run ended. */
import { Pulumi } from '../../ops/support/pulumi';

const [cli = '', kind = ''] = process.argv.slice(2);
const pulumi = new Pulumi({ pulumi: cli, env: {} }, 'dev');
void (kind === 'handOver' ? pulumi.handOver(['up']) : pulumi.show(['up'])).then((end) => process.stdout.write(JSON.stringify(end)));
