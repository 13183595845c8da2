import type { AttemptResult } from '../../domain/installs/install-callback.service';
import { closedPage } from './closed-page';
import { type Html, html } from './html';
import { installSection, tokenForm, type WaysIn } from './install-page';
import type { Page } from './page';
import { textOf } from './problem-texts';

/**
 * What came of an attempt.
 * @param ways to try again; undefined when the install is closed
 * @param self the address of this page
 */
export function resultPage(result: AttemptResult, ways: WaysIn | undefined, self: string): Page {
  switch (result.kind) {
    case 'UNKNOWN':
      return unknownResult;
    case 'OTHER_BROWSER':
      return otherBrowserPage;
    case 'OVERTAKEN':
      return closedPage('USED');
    case 'RUNNING':
      return { ...running, next: { url: self, seconds: 2 } };
    case 'CONNECTED':
      return connected(result);
    case 'REFUSED':
      return refused(result, ways);
  }
}

function connected({ name, returnUrl }: AttemptResult & { kind: 'CONNECTED' }): Page {
  const done = html`<p><strong>${name}</strong> is connected. There is nothing else to do in Slack.</p>`;
  if (returnUrl === undefined) {
    return { status: 200, title: 'Slack is connected', content: html`${done}<p>You can close this page.</p>` };
  }
  return {
    status: 200,
    title: 'Slack is connected',
    content: html`${done}<p class="actions">${wayBack(returnUrl, 'Continue to')}</p>`,
    next: { url: returnUrl, seconds: 0 },
  };
}

function refused(
  { problem, level, isLevelFixed, isOpen, returnUrl }: AttemptResult & { kind: 'REFUSED' },
  ways: WaysIn | undefined,
): Page {
  const { title, content, canRetry } = textOf(problem, { level, isLevelFixed });
  const again = isOpen && canRetry && ways !== undefined;
  const asked = problem.code === 'WRONG_INSTALL_LEVEL' && problem.grantedLevel === level ? 'ORGANIZATION' : level;
  return {
    status: 200,
    title,
    content: html`${content}
${again && ways.canInstall && installSection(ways, { level: asked })}
${again && ways.subject.takesToken && html`<details><summary>Use a token instead</summary>${tokenForm(ways)}</details>`}
${!isOpen && html`<p>The link itself cannot be used any more. Ask whoever sent it for a new one.</p>`}
${returnUrl !== undefined && html`<p class="actions">${wayBack(returnUrl, 'Give up and go back to', 'quiet')}</p>`}`,
  };
}

function wayBack(returnUrl: string, words: string, look = ''): Html {
  return html`<a class="button ${look}" href="${returnUrl}" rel="noreferrer">${words} ${new URL(returnUrl).host}</a>`;
}

const unknownResult: Page = {
  status: 404,
  title: 'Nothing is known of this installation',
  content: html`<p>It may be long over. Open the link that you were given once more to see how things stand.</p>`,
};

export const otherBrowserPage: Page = {
  status: 403,
  title: 'This was begun in another browser',
  content: html`<p>For your safety, an installation must end in the browser in which it began. This browser did not begin it, or does
not keep cookies.</p>
<p>Open the link that you were given in <strong>this</strong> browser, and begin there. If it keeps happening, allow cookies for
this address, and do not use a private window for one half of it.</p>`,
};

const running: Page = {
  status: 200,
  title: 'Connecting Slack…',
  content: html`<p role="status">The permission is being checked with Slack. That takes a few seconds; this page looks again by itself.</p>`,
};
