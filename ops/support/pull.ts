/**
 * Pulls images before a deployment: the docker provider shows no progress, and Phoenix is a gigabyte.
 */
import { once } from 'node:events';
import { imageReference } from '../../components/image-reference';
import { engineMessage, engineRequest, remedies, type Engine, type EngineRequest } from '../../engine';
import { megabytes } from './growth';
import type { SurveyedImage } from './image-survey';
import { notPulled } from './images';
import { PullProgress } from './pull-progress';
import { registryNamed } from './registry';
import type { Login, Logins } from './registry-login';
import { troubleOf, type Trouble } from './registry-trouble';
import { Failure } from './say';
import { onStderr, StatusLines, type StatusOptions } from './status-lines';

export type Pulled = Pick<SurveyedImage, 'service' | 'reference' | 'own'>;

export interface PullOptions {
  readonly stack: string;
  /** The command to run again after the problem is fixed. */
  readonly again: string;
  readonly logins: Logins;
  /** Milliseconds without a byte after which a download is given up. The engine waits forever. */
  readonly silenceMs?: number;
  /** When aborted, nothing more is shown. The caller handles what is still running. */
  readonly stop?: AbortSignal;
  readonly status?: StatusOptions;
}

/**
 * Pulls images in parallel, and shows the progress of each.
 * @throws Failure that lists all that failed. The engine discards an incomplete image.
 */
export async function pullImages(engine: Engine, wanted: readonly Pulled[], { stack, again, logins, silenceMs = 180_000, stop, status = onStderr() }: PullOptions): Promise<void> {
  if (wanted.length === 0) {
    return;
  }
  const pulls = wanted.map((one) => ({ one, progress: new PullProgress() }));
  const lines = new StatusLines(
    Object.fromEntries(pulls.map(({ one: { service, reference }, progress }) => [service, () => progress.toString() || `asking ${registryNamed(reference)} for ${reference}`])),
    status,
  );
  stop?.addEventListener('abort', () => lines.end(), { once: true });
  try {
    const failed = await Promise.all(pulls.map(async ({ one, progress }) => {
      const trouble = await pull(engine, one.reference, await logins(one.reference), progress, silenceMs);
      lines.done(one.service, `${one.reference} ${trouble ? 'could not be pulled' : `pulled${progress.bytes > 0 ? ` (${megabytes(progress.bytes)})` : ''}`}`);
      return trouble ? [{ ...one, trouble }] : [];
    }));
    if (failed.flat().length > 0) {
      throw notPulled(failed.flat(), stack, again);
    }
  } finally {
    lines.end();
  }
}

/** @returns what went wrong; undefined if the image exists */
async function pull(engine: Engine, reference: string, login: Login, progress: PullProgress, silenceMs: number): Promise<Trouble | undefined> {
  const silence = new AbortController();
  const gaveUp = troubleOf(`no answer within ${silenceMs / 1000} s`);
  const silent = once(silence.signal, 'abort');
  let last = performance.now();
  let seen = '';
  const watch = setInterval(() => {
    if (progress.downloads && performance.now() - last > silenceMs) {
      silence.abort();
    }
  }, Math.min(1000, silenceMs / 4));
  const request: EngineRequest & { readonly signal: AbortSignal } = {
    headers: login.header ? { 'X-Registry-Auth': login.header } : {},
    signal: silence.signal,
    onData: (chunk) => {
      progress.take(chunk.toString());
      // The image store of containerd keeps reporting progress while it makes none.
      const now = `${progress.bytes} ${progress.toString()}`;
      if (now !== seen) {
        seen = now;
        last = performance.now();
      }
    },
  };
  try {
    const answer = await Promise.race([engineRequest(engine, 'POST', `/images/create?${query(reference)}`, request), silent]);
    if (Array.isArray(answer)) {
      return gaveUp;
    }
    progress.end();
    const words = answer.status >= 400 ? engineMessage(answer) : progress.error;
    return words === undefined ? undefined : troubleOf(words, answer.status);
  } catch (error) {
    if (silence.signal.aborted) {
      return gaveUp;
    }
    const { message } = error as Error;
    throw new Failure(`The Docker Engine at ${engine.host} was lost while it pulled ${reference}: ${message}.`, remedies(engine, message));
  } finally {
    clearInterval(watch);
  }
}

/** As in Docker's own clients: a digest replaces the tag. */
function query(reference: string): string {
  const { name = reference, tag = '', digest = tag } = imageReference(reference) ?? {};
  return new URLSearchParams({ fromImage: name, tag: digest }).toString();
}
