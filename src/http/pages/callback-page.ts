import type { CallbackOutcome } from '../../domain/installs/install-callback.service';
import { html } from './html';
import type { Page } from './page';
import { otherBrowserPage } from './result-page';

type Kind = Exclude<CallbackOutcome['kind'], 'ATTEMPT'>;

const texts: Readonly<Record<Kind, Page>> = {
  STATELESS: {
    status: 400,
    title: 'Begin here, not in Slack',
    content: html`<p>This installation was begun on a page of Slack, so this gateway cannot know for whom. Nothing was connected.</p>
<p>Begin with the link that your provider gave you, or with the button in its product. If you have neither, ask them for a link.</p>`,
  },
  STATELESS_ERROR: {
    status: 400,
    title: 'Slack was not connected',
    content: html`<p>The installation ended at Slack, and it was not begun here. Nothing was connected.</p>
<p>To connect Slack, begin with the link that your provider gave you.</p>`,
  },
  EMPTY: {
    status: 400,
    title: 'There is nothing to do here',
    content: html`<p>Slack sends people to this address at the end of an installation. By itself it does nothing.</p>`,
  },
  UNKNOWN_STATE: {
    status: 400,
    title: 'This installation is not known here',
    content: html`<p>It was not begun on this gateway, or it is long over. Nothing was connected.</p>
<p>Open the link that you were given, and begin again.</p>`,
  },
  OTHER_BROWSER: otherBrowserPage,
};

/** What a callback shows that belongs to no attempt of this browser. */
export function callbackPage(kind: Kind): Page {
  return texts[kind];
}

/** A browser that loads pages ahead of time would spend the code, and show its result to nobody. */
export const prefetchPage: Page = {
  status: 503,
  title: 'Load this page again',
  content: html`<p>Your browser loaded this page ahead of time. Load it again to finish the installation.</p>`,
};

export const goingToSlackPage: Page = {
  status: 200,
  title: 'Taking you to Slack…',
  content: html`<p>Slack opens in a moment. If it does not, go back and use the button once more.</p>`,
};

export const otherSitePage: Page = {
  status: 403,
  title: 'This was not asked for on this page',
  content: html`<p>The request came from another website, or your browser does not say where it came from. Nothing was done.</p>
<p>Open the link that you were given, and use the button there. If that leads here again, use an up-to-date browser.</p>`,
};

export const unacceptablePage: Page = {
  status: 400,
  title: 'This could not be read',
  content: html`<p>The form did not arrive as this page sends it. Go back, load the page again, and try once more.</p>`,
};

export const chooseLevelPage: Page = {
  status: 422,
  title: 'Choose what is to be connected',
  content: html`<p>Go back, and choose a workspace or an organization before you continue.</p>`,
};

export const noAppPage: Page = {
  status: 503,
  title: 'Nothing can be installed at the moment',
  content: html`<p>This gateway has no Slack app now. Only whoever runs it can change that: tell whoever sent you the link.</p>`,
};

export const stoppingPage: Page = {
  status: 503,
  title: 'One moment, please',
  content: html`<p>This gateway is being restarted. Try again in a minute.</p>`,
};

export function defectPage(requestId: string): Page {
  return {
    status: 500,
    title: 'Something went wrong here',
    content: html`<p>This gateway met an error of its own. Try again in a minute.</p>
<p>If it happens once more, tell whoever sent you the link this number: <code>${requestId}</code></p>`,
  };
}
