/** What is said on stderr from here to the end of the test, line by line. */
export function listen(): string[] {
  const lines: string[] = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(...String(text).replace(/\n$/, '').split('\n'));
    return true;
  });
  return lines;
}

afterEach(() => jest.restoreAllMocks());
