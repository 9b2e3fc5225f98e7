/**
 * A copy of a stack's settings for runs of the CLI whose settings are not confirmed yet: the CLI writes to the copy.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { readStackFile } from './project';

export class ScratchSettings {
  private readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'llm-observability-'));
  private readonly file: string;

  constructor(stack: string) {
    this.file = path.join(this.dir, `Pulumi.${stack}.yaml`);
    // Secrets are encrypted in it.
    fs.writeFileSync(this.file, readStackFile(stack) ?? 'config: {}\n', { mode: 0o600 });
  }

  /** For the command line of the CLI. */
  get args(): readonly string[] {
    return ['--config-file', this.file];
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
