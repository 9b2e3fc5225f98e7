/** The rule that a text breaks as an http or https URL without a password; undefined if it breaks none. */
export function whyNoWebUrl(text: string): string | undefined {
  if (!URL.canParse(text)) {
    return 'it is not a URL; write http://host:port or https://host';
  }
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') {
    return 'the URL must begin with http:// or https://';
  }
  return username || password ? 'a URL that holds a password would show it in previews and state' : undefined;
}
