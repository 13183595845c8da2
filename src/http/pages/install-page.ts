import type { InstallLevel } from '../../domain/connections/connection';
import type { Subject } from '../../domain/installs/install-door';
import { consentMenu, whoMayInstall } from './consent-menu';
import { Html, html } from './html';
import type { Page } from './page';
import { introduction, titleOf } from './subject-text';
import type { TokenProblem } from './token-problem';
import { tokenSteps } from './token-steps';

export interface FormActions {
  /** Where the button that leads to Slack posts to. */
  readonly begin: string;
  /** Where a token is posted to. */
  readonly token: string;
}

export interface WaysIn {
  readonly subject: Subject;
  readonly canInstall: boolean;
  readonly actions: FormActions;
}

/** The first page of a link: what is asked, by whom, and the ways to do it. */
export function installPage(ways: WaysIn, host: string, problem?: TokenProblem): Page {
  const { subject, canInstall } = ways;
  const title = titleOf(subject, host);
  return {
    status: problem ? 422 : 200,
    title: problem ? 'The token could not be used' : title,
    content: html`${introduction(subject, host)}
${canInstall ? installSection(ways) : !subject.takesToken && noApp}
${subject.takesToken && tokenSection(ways, problem)}`,
  };
}

/** @param retry words for a second try: the explanations stand above it already */
export function installSection({ subject, actions }: WaysIn, retry?: { readonly level: InstallLevel }): Html {
  const { level } = subject;
  const button = retry ? 'Try again' : 'Continue to Slack';
  const form = html`<form method="post" action="${actions.begin}">
${level === undefined && levelChoice(retry?.level)}
<p class="actions"><button type="submit">${button}</button></p>
</form>`;
  if (retry) return form;
  return html`<h2>Install with Slack</h2>
<p>Slack shows you what the app may do, and asks you to allow it. The permission is called <code>admin</code>; it is used to manage
people and groups, and no messages or files are read. You can remove the app in Slack at any time.</p>
${level !== undefined && whoMayInstall(level)}
${level === 'ORGANIZATION' && html`<p>On Slack's page, choose your <strong>organization</strong> in this menu:</p>${consentMenu(level)}`}
${form}`;
}

function levelChoice(chosen: InstallLevel | undefined): Html {
  const option = (level: InstallLevel, name: string, text: string) => html`<label class="choice">
<input type="radio" name="level" value="${level}" required${chosen === level && new Html(' checked')}>
<strong>${name}</strong>
<span>${text}</span>
</label>
`;
  return html`<fieldset>
<legend>What is to be connected?</legend>
${option('WORKSPACE', 'A workspace', 'You have one Slack workspace on the Business+ plan. An Owner or Admin can do this.')}${option(
  'ORGANIZATION',
  'An Enterprise organization',
  'Your workspaces belong to an Enterprise organization. An Org Owner must do this, and choose the organization, not a workspace, in the menu at the top right of Slack’s page.',
)}</fieldset>`;
}

function tokenSection(ways: WaysIn, problem: TokenProblem | undefined): Html {
  const { canInstall } = ways;
  return html`${canInstall && html`<hr class="or">`}
<h2>${canInstall ? 'Or: I have a token' : 'Connect with a token'}</h2>
${tokenForm(ways, problem)}`;
}

export function tokenForm({ subject, canInstall, actions }: WaysIn, problem?: TokenProblem): Html {
  const steps = tokenSteps(subject.environment);
  return html`${canInstall ? html`<details><summary>How do I get a token?</summary>${steps}</details>` : steps}
${
  problem &&
  html`<div class="problem" role="alert" id="token-problem">
<p><strong>${problem.message}</strong></p>
${problem.remedy !== undefined && html`<p>${problem.remedy}</p>`}
</div>`
}
<form method="post" action="${actions.token}">
<label class="field" for="token">User OAuth Token</label>
<input type="password" id="token" name="token" required maxlength="1024" autocomplete="off" spellcheck="false" autocapitalize="none"
${problem && new Html('aria-invalid="true" autofocus ')}aria-describedby="${problem ? 'token-problem ' : ''}token-hint">
<p class="hint" id="token-hint">It is checked with Slack right away, stored encrypted, and never shown again.</p>
<p class="actions"><button type="submit">Connect with this token</button></p>
</form>`;
}

const noApp = html`<div class="problem"><p>This gateway has no Slack app at the moment, so nothing can be installed. Tell whoever
sent you the link.</p></div>`;
