/** A customer's Slack admin at a browser without JavaScript: follows links and forms, and keeps the gateway's cookies. */
export class CustomerBrowser {
  readonly #cookies = new Map<string, string>();

  /**
   * Opens a connect link and asks for Slack's consent page.
   * @returns the address of the page at Slack
   */
  async begin(link: string, level: 'WORKSPACE' | 'ORGANIZATION'): Promise<string> {
    await this.#visit(link);
    const answer = await this.#post(link, { level });
    return addressOf(answer.headers.get('refresh')?.replace(/^\d+;\s*url=/i, ''), 'the consent page');
  }

  /**
   * Signs in as somebody, picks a place in Slack's menu, and allows the app.
   * @returns the heading of the gateway's page that follows.
   */
  async allow(consentUrl: string, person: string, place: string): Promise<string> {
    const people = await this.#visit(consentUrl);
    const signIn = find(people, `<a href="([^"]+)">${person}</a>`, person);
    const consent = await this.#visit(new URL(signIn, consentUrl).href);
    const placeId = find(consent, `<option value="([^"]+)"[^>]*>${place}`, place);
    const decided = await this.#post(new URL(signIn, consentUrl).href, { place: placeId, decision: 'allow' });
    const callback = await this.#send(addressOf(decided.headers.get('location'), 'the callback'));
    const result = addressOf(callback.headers.get('location'), 'the result');
    const page = await this.#visit(new URL(result, callback.url).href);
    return find(page, '<h1[^>]*>([^<]+)</h1>', 'a heading');
  }

  async #visit(url: string): Promise<string> {
    return (await this.#send(url)).text();
  }

  #post(url: string, form: Record<string, string>): Promise<Response> {
    // As a browser says it of a form on the page itself.
    const headers = { 'sec-fetch-site': 'same-origin' };
    return this.#send(url, { method: 'POST', headers, body: new URLSearchParams(form) });
  }

  async #send(url: string, options: { method?: string; headers?: object; body?: URLSearchParams } = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...options.headers, ...(cookie === '' ? {} : { cookie }) };
    const response = await fetch(url, { ...options, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
    }
    return response;
  }
}

function find(page: string, pattern: string, what: string): string {
  const [, found] = new RegExp(pattern).exec(page) ?? [];
  if (found === undefined) throw new Error(`The page does not show ${what}`);
  return found.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"');
}

function addressOf(text: string | null | undefined, what: string): string {
  if (!text) throw new Error(`The answer does not lead to ${what}`);
  return text;
}
