/** The content of the comment: a page of `npm run preview`, and where it comes from. */

/** First line of the comment, which identifies it; it is not displayed. */
export const marker = '<!-- llm-observability preview -->';

/** Longest comment that GitHub accepts, in characters. */
export const longest = 65_536;

export interface Origin {
  readonly commit: string;
  /** Address of the workflow run that created the page. */
  readonly run: string;
  /** `owner/name` of the fork whose code made it; undefined if it is from this repository. */
  readonly fork: string | undefined;
}

/** The comment's text. If it is too long, it is cut at a line and says so at its top: below it a block may be open. */
export function commentBody(page: string, origin: Origin): string {
  const quiet = withoutMentions(page);
  const whole = `${heading(origin)}\n\n${quiet}`;
  if (whole.length <= longest) {
    return whole;
  }
  const begin = `${heading(origin)} It is too long for a comment and is truncated; the artifact of that run has all of it.\n\n`;
  return begin + upToLine(quiet, longest - begin.length);
}

function heading({ commit, run, fork }: Origin): string {
  const made = `Preview of commit \`${commit.slice(0, 7)}\`, from [this run](${run}).`;
  return `${marker}\n${made}${fork === undefined ? '' : ` The code of the fork ${fork} made it, without credentials: treat its links and commands as written by a stranger.`}`;
}

/**
 * The page without words that GitHub would treat as a mention. The pull request may change the code that writes the page, so
 * all of it is untrusted text, published under the name of a bot that may mention any team. Its other Markdown can do nothing
 * that the author's own comment could not, and there is no block of ours around it to break out of. A zero-width space
 * prevents a mention after an `@`, also in the notations that Markdown decodes first. After a letter or a digit
 * (image@sha256:…, user@host) it is no mention, and can still be copied unchanged.
 */
function withoutMentions(page: string): string {
  return page.replace(/(?<![a-z0-9])@|&#0*64;|&#x0*40;|&commat;/gi, '$&\u200b');
}

/** As many whole lines as fit. */
function upToLine(text: string, room: number): string {
  return text.slice(0, text.lastIndexOf('\n', room - 1) + 1);
}
