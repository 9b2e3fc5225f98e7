/**
 * Whether a web site answers at all, within five seconds. Behind a proxy it is taken to: the programs
 * that download from it speak to the proxy, and Node's own client does not.
 */
export async function siteAnswers(url: string): Promise<boolean> {
  if (process.env['HTTPS_PROXY'] || process.env['https_proxy']) {
    return true;
  }
  try {
    const answer = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(5_000) });
    await answer.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
