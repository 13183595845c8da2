import type { InstallLevel } from '../../domain/connections/connection';
import type { InstallProblem } from '../../domain/installs/install';
import { consentMenu, whoMayInstall } from './consent-menu';
import { type Html, html } from './html';

/** What a person at the customer's reads when an installation did not come about. */
export interface ProblemText {
  readonly title: string;
  readonly content: Html;
  /** Whether trying again from here can help. */
  readonly canRetry: boolean;
}

/** The level that was asked for, and whether another try must ask for the same. */
export interface Asked {
  readonly level: InstallLevel;
  readonly isLevelFixed: boolean;
}

type Write = (problem: InstallProblem, asked: Asked) => ProblemText;

const nothingSaved = html`<p>Nothing was saved, and the permission that Slack gave was taken back.</p>`;

export function textOf(problem: InstallProblem, asked: Asked): ProblemText {
  const write: Write = texts[problem.code] ?? otherwise;
  return write(problem, asked);
}

/** For the consent flow: here nobody copies tokens, so the remedies that `createConnection` gives would lead astray. */
const texts: Partial<Record<InstallProblem['code'], Write>> = {
  WRONG_INSTALL_LEVEL: wrongLevel,
  INSTALL_DENIED: ({ message, remedy }) => ({
    title: 'Slack was not connected',
    content: html`<p>${message}</p><p>${remedy ?? ''}</p>
<p>If Slack said that an administrator must approve the app first, wait for the approval and then try again.</p>`,
    canRetry: true,
  }),
  INSTALL_EXPIRED: ({ message, remedy }) => ({
    title: 'Too much time has passed',
    content: html`<p>${message} Nothing was changed.</p><p>${remedy ?? ''}</p>`,
    canRetry: true,
  }),
  MISSING_SCOPES: () => ({
    title: 'The permission to manage people is missing',
    content: html`<p>Slack let the app in, but without the permission <code>admin</code> that managing people takes. That happens
when the person who approves is not an Admin or Owner.</p>${nothingSaved}
<p>Let an Owner or Admin do it, or sign in to Slack as one, and try again.</p>`,
    canRetry: true,
  }),
  PLAN_TOO_LOW: () => ({
    title: "Slack's plan does not include this",
    content: html`<p>Slack lets people be managed from outside on its <strong>Business+</strong> and <strong>Enterprise</strong>
plans only, and this team has another one.</p>${nothingSaved}
<p>An Owner can change the plan in Slack under <b>Settings &amp; administration → Billing</b>. After that, try again.</p>`,
    canRetry: true,
  }),
  INSTALLER_LOST_RIGHTS: () => ({
    title: 'You are not an Admin or Owner there',
    content: html`<p>The app works with the rights of the person who installs it, and Slack says that you may not manage people
in this place.</p>${nothingSaved}<p>Ask an Owner or Admin to open the link that you were given.</p>`,
    canRetry: true,
  }),
  WRONG_WORKSPACE: ({ detail }) => ({
    title: 'That was another Slack team',
    content: html`<p>This link renews a connection to one particular Slack team, and another one was chosen.</p>
${detail !== undefined && html`<p>${detail}</p>`}${nothingSaved}
<p>Try again, and choose the same workspace or organization as before in the menu at the top right of Slack's page.</p>`,
    canRetry: true,
  }),
  DUPLICATE_CONNECTION: () => ({
    title: 'This Slack team is connected already',
    content: html`<p>The same Slack team is connected under another customer's name, so it was not connected a second time.</p>
<p>Tell whoever sent you the link. They can see the other connection.</p>`,
    canRetry: false,
  }),
  CONFLICT: () => ({
    title: 'Another Slack team is connected already',
    content: html`<p>The customer that this link is for has a connection to another Slack team, so nothing was changed.</p>
<p>Tell whoever sent you the link.</p>`,
    canRetry: false,
  }),
  RESOURCE_LOCKED: ({ message, remedy }) => ({
    title: 'One moment, please',
    content: html`<p>${message}</p><p>${remedy ?? ''}</p>`,
    canRetry: true,
  }),
  IP_NOT_ALLOWED: () => ({
    title: 'Slack refuses this gateway’s address',
    content: html`<p>Slack lets the app be used from certain addresses only, and this gateway's address is not among them.</p>
<p>Whoever runs this gateway must add it under <b>OAuth &amp; Permissions → Allowed IP Address Ranges</b> of its Slack app.
There is nothing that you need to do.</p>`,
    canRetry: true,
  }),
  APP_CREDENTIALS_REFUSED: () => ({
    title: 'This gateway is not set up correctly',
    content: html`<p>Slack does not accept the credentials of this gateway. Only whoever runs it can repair that; there is nothing
that you did wrong.</p><p>Tell whoever sent you the link. Once it is repaired, the same link works.</p>`,
    canRetry: true,
  }),
  UPSTREAM_REJECTED: ({ message, remedy }) => ({
    title: 'Slack did not let this happen',
    content: html`<p>${message}</p><p>${remedy ?? ''}</p>`,
    canRetry: true,
  }),
  UPSTREAM_UNAVAILABLE: ({ message, remedy }) => ({
    title: 'Slack could not be reached',
    content: html`<p>${message}</p><p>${remedy ?? ''}</p>
<p>See <a href="https://status.slack.com/" rel="noreferrer">status.slack.com</a> whether Slack has a disruption.</p>`,
    canRetry: true,
  }),
  RATE_LIMITED: () => ({
    title: 'Slack asks to wait a moment',
    content: html`<p>Slack has had too many requests about this team. Wait a minute, and try again.</p>`,
    canRetry: true,
  }),
  FORBIDDEN: () => withdrawn,
  NOT_FOUND: () => withdrawn,
  INTERNAL: () => ({
    title: 'Something went wrong here',
    content: html`<p>This gateway met an error of its own. It was recorded; there is nothing that you did wrong.</p>
<p>Try again, and tell whoever sent you the link if it happens once more.</p>`,
    canRetry: true,
  }),
};

const withdrawn: ProblemText = {
  title: 'This link was withdrawn',
  content: html`<p>Whoever sent you the link may no longer connect Slack with it. Nothing was changed.</p>
<p>Ask them for a new link.</p>`,
  canRetry: false,
};

/** Three cases, and each has another way out (OAuth §14, 5). */
function wrongLevel({ grantedLevel }: InstallProblem, { level, isLevelFixed }: Asked): ProblemText {
  if (level === 'ORGANIZATION') return notTheOrganization;
  return grantedLevel === 'ORGANIZATION' ? notTheWorkspace : partOfOrganization(isLevelFixed);
}

const chooseOrganization = html`<p>Try again, and choose the organization in this menu:</p>
${consentMenu('ORGANIZATION')}
${whoMayInstall('ORGANIZATION')}`;

const notTheOrganization: ProblemText = {
  title: 'A workspace was chosen, not the organization',
  content: html`<p>The app was installed on a single workspace, but it must be installed on the <strong>organization</strong>. Slack's
page begins with a workspace, and it is easily overlooked.</p>${nothingSaved}${chooseOrganization}`,
  canRetry: true,
};

const notTheWorkspace: ProblemText = {
  title: 'The whole organization was chosen',
  content: html`<p>The app was installed on your organization, but a single <strong>workspace</strong> is to be connected.</p>
${nothingSaved}<p>Try again, and choose the workspace in this menu:</p>${consentMenu('WORKSPACE')}`,
  canRetry: true,
};

/** @param isLevelFixed then another try would ask for a workspace again */
function partOfOrganization(isLevelFixed: boolean): ProblemText {
  return {
    title: 'This workspace is part of an organization',
    content: html`<p>The workspace that was chosen is part of an Enterprise organization. There, Slack lets people be managed for the
whole organization only, so the app must be installed on the <strong>organization</strong>.</p>${nothingSaved}
${isLevelFixed ? html`<p>Ask whoever sent you the link for one that is for an organization.</p>` : chooseOrganization}`,
    canRetry: !isLevelFixed,
  };
}

/** The rest can only come of a token that ended between Slack's answer and its check. */
function otherwise({ message, remedy }: InstallProblem): ProblemText {
  return {
    title: 'Slack was not connected',
    content: html`<p>${message}</p><p>${remedy ?? ''}</p>`,
    canRetry: true,
  };
}
