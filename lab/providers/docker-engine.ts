import { at, defaultSocket, engineMessage, engineRequest, type Engine as Address, type EngineAnswer } from '../../engine';

/** A response of status 400 or more, worded as by Docker's own client. */
export class EngineError extends Error {
  constructor(answer: EngineAnswer) {
    super(`Error response from daemon: ${engineMessage(answer)}`);
    this.status = answer.status;
  }
  readonly status: number;
}

/** The engine that the provider is configured for. */
export class Engine {
  address: Address = at(process.env['DOCKER_HOST'] || `unix://${defaultSocket}`);
  private reached: Promise<unknown> | undefined;

  /** @throws EngineError; or Error when there is no response at `host` */
  async call<T = unknown>(method: string, path: string, body?: object | Buffer): Promise<T> {
    return JSON.parse((await this.raw(method, path, body)).toString() || 'null') as T;
  }

  async raw(method: string, path: string, body?: object | Buffer): Promise<Buffer> {
    await this.ping();
    const answer = await engineRequest(this.address, method, path, body === undefined ? {} : { body });
    if (answer.status >= 400) {
      throw new EngineError(answer);
    }
    return answer.body;
  }

  /** Undefined if it does not exist. */
  async find<T>(path: string): Promise<T | undefined> {
    return this.call<T>('GET', path).catch((error: unknown) => {
      if (error instanceof EngineError && error.status === 404) {
        return undefined;
      }
      throw error;
    });
  }

  /** The published provider also connects before a preview, except for a host behind ssh, which may need a person. */
  async configure(): Promise<void> {
    if (!this.address.host.startsWith('ssh://')) {
      await this.ping().catch((error: Error) => {
        throw new Error('docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon', { cause: error });
      });
    }
  }

  private ping(): Promise<unknown> {
    this.reached ??= engineRequest(this.address, 'GET', '/_ping').catch((error: Error) => {
      this.reached = undefined;
      throw new Error(`failed to create Docker client: Error pinging Docker server, please make sure that ${this.address.host} is reachable and has a  '_ping' endpoint. Error: ${error.message}`);
    });
    return this.reached;
  }
}

/**
 * Repeats `attempt` until it returns true.
 * @param pending the state that the real provider names in its message
 */
export async function untilRemoved(pending: string, attempt: () => Promise<boolean>, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await attempt())) {
    if (Date.now() > end) {
      throw new Error(`timeout while waiting for state to become 'removed' (last state: '${pending}', timeout: ${seconds}s)`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
