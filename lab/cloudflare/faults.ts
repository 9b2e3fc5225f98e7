/** A request as received, below `/client/v4`. */
export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
}

/** Requests that get a different response from the account's. */
export interface Fault {
  readonly method: string;
  /** Of the path without its query. */
  readonly path: RegExp;
  /** The first matching request that it hits, counted from when the fault was added. Default: 1, the next. */
  readonly nth?: number;
  /** How many it hits from there on. Default: 1. */
  readonly times?: number;
  readonly status: number;
  readonly code?: number;
  readonly message?: string;
  /** The request is carried out all the same, and only the response says otherwise. */
  readonly carriedOut?: boolean;
}

export class Faults {
  private readonly waiting: { readonly fault: Fault; seen: number }[] = [];

  add(fault: Fault): void {
    this.waiting.push({ fault, seen: 0 });
  }

  /** Counts a request, and returns the fault that hits it. */
  hit({ method, path }: Asked): Fault | undefined {
    const concerned = this.waiting.filter(({ fault }) => fault.method === method && fault.path.test(path.replace(/\?.*/, '')));
    concerned.forEach((one) => {
      one.seen += 1;
    });
    return concerned.find(({ fault: { nth = 1, times = 1 }, seen }) => seen >= nth && seen < nth + times)?.fault;
  }
}
