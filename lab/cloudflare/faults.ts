/** A request as it came, below `/client/v4`. */
export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
}

/** Requests that are answered otherwise than the account would. */
export interface Fault {
  readonly method: string;
  /** Of the path without its query. */
  readonly path: RegExp;
  /** The first of such requests that it hits, counted from when the fault was added. Default: 1, the next. */
  readonly nth?: number;
  /** How many it hits from there on. Default: 1. */
  readonly times?: number;
  readonly status: number;
  readonly code?: number;
  readonly message?: string;
  /** What was asked for is done all the same, and only the answer says otherwise. */
  readonly carriedOut?: boolean;
}

export class Faults {
  private readonly waiting: { readonly fault: Fault; seen: number }[] = [];

  add(fault: Fault): void {
    this.waiting.push({ fault, seen: 0 });
  }

  /** Counts a request, and tells which fault hits it. */
  hit({ method, path }: Asked): Fault | undefined {
    const concerned = this.waiting.filter(({ fault }) => fault.method === method && fault.path.test(path.replace(/\?.*/, '')));
    concerned.forEach((one) => {
      one.seen += 1;
    });
    return concerned.find(({ fault: { nth = 1, times = 1 }, seen }) => seen >= nth && seen < nth + times)?.fault;
  }
}
