/**
 * How to fix a failed download, derived from the messages of its program: Node, curl, tar, the Pulumi CLI (Go).
 */

const helps: readonly { readonly when: RegExp; readonly commands: (folder: string) => string[] }[] = [
  {
    when: /no space left|ENOSPC|disk quota|EDQUOT|curl: \(23\)/i,
    commands: (folder) => [`df -h ${folder}`, 'export PULUMI_HOME=/a/folder/with/room   # 1 GiB for the CLI and its plugins'],
  },
  {
    when: /read-only file system|EROFS|permission denied|EACCES|EPERM|operation not permitted|ENOTDIR|not a directory/i,
    commands: () => ['export PULUMI_HOME=/a/folder/that/you/may/write/to'],
  },
  {
    when: /certificate|x509|\bCERT_|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|curl: \((35|60)\)|ssl routines/i,
    commands: () => ['export NODE_EXTRA_CA_CERTS=/path/of/the/authority.pem   # Node, curl and Pulumi use it'],
  },
  { when: /\b407\b|proxy authentication/i, commands: () => ['export HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT'] },
  { when: /rate limit|curl: .*\b429\b|\b429 HTTP error/i, commands: () => ['export GITHUB_TOKEN=$(gh auth token)   # GitHub allows more requests with a token'] },
  { when: /\b(curl|tar|gzip|mktemp): (command )?not found/i, commands: () => ['sudo apt-get install curl tar   # or the packages of your system'] },
];

/**
 * Commands that help, the most likely one first; empty if the only known one is to retry.
 * @param folder the target of the download
 */
export function helpFor(words: string, folder = '.'): string[] {
  return helps.find(({ when }) => when.test(words))?.commands(folder) ?? [];
}

/** A program's output, as lines for a person: without colors, progress meters and repetitions. */
export function wordsOf(output: string): string[] {
  const lines = output
    .replace(/\u001b\[[\d;]*[A-Za-z]/g, '')
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line && !/^(% Total|Dload\b|\d+ .*--:--:--|\d+ +[\d.]+[kMG]? +\d+ )/.test(line));
  return [...new Set(lines)];
}
