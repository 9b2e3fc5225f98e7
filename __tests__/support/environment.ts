/** Sets variables of this process's environment (`undefined` removes one) until the test is over. */
export function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!before.has(name)) {
      before.set(name, process.env[name]);
    }
    put(name, value);
  }
}

function put(name: string, value: string | undefined): void {
  if (value === undefined) {
    delete process.env[name];
  } else {
    process.env[name] = value;
  }
}

const before = new Map<string, string | undefined>();
afterEach(() => {
  before.forEach((value, name) => put(name, value));
  before.clear();
});
