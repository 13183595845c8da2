import type { ClosedReason } from '../../domain/installs/install-door';
import { type Html, html } from './html';
import type { Page } from './page';

const texts: Readonly<Record<ClosedReason, { status: number; title: string; content: Html }>> = {
  UNKNOWN: {
    status: 404,
    title: 'This link leads nowhere',
    content: html`<p>Nothing is known under this address. Maybe a part of it got lost: compare it with the link that you were given.</p>
<p>If it is complete, it is no longer valid. Ask whoever sent it for a new one.</p>`,
  },
  USED: {
    status: 410,
    title: 'This link was used already',
    content: html`<p>Slack was connected with it, and it works only once. There is nothing left to do here.</p>
<p>If you do not know who used it, tell whoever sent it to you.</p>`,
  },
  EXPIRED: {
    status: 410,
    title: 'This link has expired',
    content: html`<p>It was valid for a limited time, which is over. Nothing was changed.</p>
<p>Ask whoever sent it for a new one.</p>`,
  },
  WITHDRAWN: {
    status: 410,
    title: 'This link was withdrawn',
    content: html`<p>Whoever sent it may no longer connect Slack with it. Nothing was changed.</p>
<p>Ask them for a new one.</p>`,
  },
  DISCONNECTED: {
    status: 410,
    title: 'This connection was ended',
    content: html`<p>It was disconnected on purpose, so it cannot be repaired with this link.</p>
<p>Ask whoever sent the link for a new one.</p>`,
  },
  UNNEEDED: {
    status: 200,
    title: 'There is nothing to repair here',
    content: html`<p>The connection does not need the app to be installed again. Maybe somebody else has done it already.</p>`,
  },
};

/** Why nothing can be done behind a link. */
export function closedPage(reason: ClosedReason): Page {
  return texts[reason];
}
