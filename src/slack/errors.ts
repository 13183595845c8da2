import { ConnectionProblem } from '../domain/connections/connection-problem';
import { requiredScopes } from '../domain/connections/scopes';
import {
  GroupLinkedToChannels,
  GroupMembersRefused,
  GroupNameTaken,
  ProtectedGroup,
} from '../domain/directory/group-problem';
import {
  type AppError,
  Conflict,
  EmailTaken,
  GroupLimit,
  GuestNotAllowed,
  InvalidInput,
  NotFound,
  ProtectedUser,
  UpstreamOutcomeUnknown,
  UpstreamRejected,
  UpstreamUnavailable,
  UserNameInvalid,
  UserNameUnavailable,
} from '../domain/errors';
import type { Logger } from '../shared/logger';
import { detailOf } from './code-details';
import { oauthCodes } from './oauth-codes';
import { deadTokenCodes, type Meaning, scimCodes, scimTypes, webApiCodes } from './slack-codes';
import type { Refusal } from './wire';

/** What a call was about, where the same code means different things. */
export interface RefusedCall {
  readonly kind: 'READ_LIST' | 'READ_PERSON' | 'CREATE' | 'WRITE_ON_PERSON' | GroupCall;
  /** The request asks for a guest account. */
  readonly isAboutGuest: boolean;
}

type GroupCall = 'READ_GROUP' | 'CREATE_GROUP' | 'WRITE_ON_GROUP';

/** The server does not know this HTTP method here. */
export class VerbNotSupported extends UpstreamRejected {}

/** The server does not evaluate this filter. Another form of it, or a whole list, may do. */
export class FilterRefused extends UpstreamRejected {}

/** What a SCIM refusal means: by code, else by RFC 7644's scimType, else by status. undefined when nothing tells. */
export function meaningOf(refusal: Refusal): Meaning | undefined {
  const { slackCode, scimType, status } = refusal;
  if (deadTokenCodes.includes(slackCode)) return { as: 'BAD_TOKEN' };
  const byCode = lookUp(scimCodes, slackCode) ?? lookUp(webApiCodes, slackCode);
  // Every server may say that it is limiting calls, but only Slack's own word says that a resource is locked.
  if (status === 429) return byCode?.as === 'LOCKED' ? byCode : { as: 'RATE_LIMITED' };
  if (byCode !== undefined) return byCode;
  if (status === 401) return { as: 'BAD_TOKEN' };
  if (scimType === 'uniqueness' || (scimType === undefined && status === 409)) return uniqueness(refusal);
  return scimType === undefined ? undefined : lookUp(scimTypes, scimType);
}

/** A standard server's uniqueness is that of userName (RFC 7643 §4.1.1), unless its text speaks of the address. */
function uniqueness({ mentions }: Refusal): Meaning {
  if (mentions === 'EMAIL') return { as: 'EMAIL_TAKEN' };
  return { as: 'USERNAME_UNAVAILABLE', message: 'An account with this user name exists already.' };
}

/** The error for a SCIM refusal that no waiting, other token or other form can mend. */
export function refusalError(refusal: Refusal, call: RefusedCall): AppError {
  const { status, slackCode } = refusal;
  const isVerbRefused = status === 405 || status === 501 || slackCode === 'method_not_allowed';
  const isChange = call.kind === 'WRITE_ON_PERSON' || call.kind === 'WRITE_ON_GROUP';
  if (isVerbRefused || (isChange && refusal.saysPatchIsUnsupported)) {
    return new VerbNotSupported('Slack does not offer this call.', slackCode, status);
  }
  const meaning = meaningOf(refusal);
  if (meaning === undefined) return unknownRefusal(refusal, call);
  const aboutGroup = groupRefusal(meaning, refusal, call);
  if (aboutGroup !== undefined) return aboutGroup;
  if (call.isAboutGuest && isAboutPlan(meaning)) {
    return new GuestNotAllowed("Slack's plan of this team does not include guests.", {
      remedy: 'Guests can be provisioned on Enterprise plans only.',
    });
  }
  if (meaning.as === 'GUEST_NOT_ALLOWED' && call.kind === 'WRITE_ON_PERSON') {
    return new ProtectedUser('Slack makes no guest of an Admin or an Owner.', 'ADMIN_OR_OWNER', {
      remedy: 'Let an Owner make the person a regular member in Slack first.',
    });
  }
  if (meaning.as === 'NO_SUCH_PERSON' && call.kind === 'CREATE') {
    return new InvalidInput('A person that the request names, such as the manager, does not exist in Slack.');
  }
  if (meaning.as === 'NO_PERMISSION' && call.kind === 'WRITE_ON_PERSON') {
    return new ProtectedUser('The person has a higher rank in Slack than the owner of the token.', 'HIGHER_RANK', {
      remedy: 'Let somebody of a higher rank, such as the Primary Owner, do it in Slack or install the app.',
    });
  }
  return errorOf(meaning, slackCode, status);
}

/** What the refusals of people's calls mean when they come to a write on a group. */
function groupRefusal(meaning: Meaning, { status, slackCode }: Refusal, { kind }: RefusedCall): AppError | undefined {
  if (kind !== 'CREATE_GROUP' && kind !== 'WRITE_ON_GROUP') return undefined;
  if (meaning.as === 'NO_SUCH_PERSON') return new GroupMembersRefused('UNKNOWN');
  // What a standard server says of a name that it keeps unique.
  if (meaning.as === 'USERNAME_UNAVAILABLE') return new GroupNameTaken(undefined);
  if (meaning.as === 'NO_PERMISSION' && kind === 'WRITE_ON_GROUP') return new ProtectedGroup(slackCode, status);
  return undefined;
}

/** The error for a Web API answer with `ok: false`. */
export function webApiError(slackCode: string, status: number): AppError {
  const meaning = lookUp(webApiCodes, slackCode);
  if (meaning === undefined) return new UpstreamRejected(UNKNOWN_REASON, slackCode, status);
  return errorOf(meaning, slackCode, status);
}

export function isKnownCode(slackCode: string): boolean {
  return [scimCodes, webApiCodes, scimTypes, oauthCodes].some((table) => Object.hasOwn(table, slackCode));
}

/** Slack, or what stands between, gave no usable answer to a read. */
export function unavailable(reason: string): UpstreamUnavailable {
  return new UpstreamUnavailable('Slack does not answer, or answers with server errors.', {
    remedy: 'Try again later. See status.slack.com.',
    cause: new Error(reason),
  });
}

export function outcomeUnknown(reason: string): UpstreamOutcomeUnknown {
  return new UpstreamOutcomeUnknown('The answer to a write was lost, so that it may or may not have taken effect.', {
    remedy: 'Look the person or the group up before trying again.',
    cause: new Error(reason),
  });
}

/** Says once, for each code that no table knows, that it was met. */
export class UnknownCodeLog {
  /** A server that puts values where the code belongs must not fill the memory. */
  static readonly #MOST_CODES = 200;
  readonly #seen = new Set<string>();

  constructor(private readonly logger: Logger) {}

  note(slackCode: string, httpStatus: number): void {
    if (slackCode === 'unknown' || isKnownCode(slackCode) || this.#seen.has(slackCode)) return;
    if (this.#seen.size >= UnknownCodeLog.#MOST_CODES) return;
    this.#seen.add(slackCode);
    this.logger.warn({ slackCode, httpStatus }, 'Slack answered with a code that is not in our tables');
  }
}

const UNKNOWN_REASON = 'Slack refused the call for a reason that is not known here.';

function lookUp(table: Readonly<Record<string, Meaning>>, key: string): Meaning | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function isAboutPlan(meaning: Meaning): boolean {
  return meaning.as === 'CONNECTION' && meaning.problem === 'PLAN_TOO_LOW';
}

function unknownRefusal({ status, slackCode }: Refusal, { kind }: RefusedCall): AppError {
  if (status === 404 && (kind === 'READ_PERSON' || kind === 'WRITE_ON_PERSON')) return new NotFound(NO_SUCH_PERSON);
  if (status === 404 && (kind === 'READ_GROUP' || kind === 'WRITE_ON_GROUP')) return new NotFound(NO_SUCH_GROUP);
  if (status === 412) return new Conflict('The account or the group was changed by somebody else meanwhile.');
  return new UpstreamRejected(UNKNOWN_REASON, slackCode, status);
}

const NO_SUCH_PERSON = 'Slack knows no such person.';
const NO_SUCH_GROUP = 'Slack knows no such group.';

function errorOf(meaning: Meaning, slackCode: string, status: number): AppError {
  switch (meaning.as) {
    case 'BAD_TOKEN':
      return new ConnectionProblem('REAUTHORIZATION_REQUIRED', { detail: detailOf(slackCode, status) });
    case 'CONNECTION':
      return new ConnectionProblem(meaning.problem, {
        detail: detailOf(slackCode, status),
        ...(meaning.problem === 'MISSING_SCOPES' ? { missingScopes: requiredScopes } : {}),
      });
    case 'NO_PERMISSION':
      return new ConnectionProblem('INSTALLER_LOST_RIGHTS', { detail: detailOf(slackCode, status) });
    case 'NO_SUCH_PERSON':
      return new NotFound(NO_SUCH_PERSON);
    case 'NO_SUCH_GROUP':
      return new NotFound(NO_SUCH_GROUP);
    case 'MEMBERS_REFUSED':
      return new GroupMembersRefused(meaning.reason);
    case 'GROUP_IN_USE':
      return new GroupLinkedToChannels();
    case 'EMAIL_TAKEN':
      return new EmailTaken('Another account, active or not, holds this e-mail address.', undefined);
    case 'USERNAME_UNAVAILABLE':
      return new UserNameUnavailable(meaning.message, { remedy: 'Choose another user name.' });
    case 'USERNAME_INVALID':
      return new UserNameInvalid(meaning.message, {
        remedy: 'Use at most 21 lower-case letters, digits, dots, hyphens and underscores.',
      });
    case 'GUEST_NOT_ALLOWED':
      return new GuestNotAllowed(meaning.message);
    case 'GROUP_LIMIT':
      return new GroupLimit(meaning.message);
    case 'INVALID_INPUT':
      return new InvalidInput(meaning.message, { remedy: meaning.remedy });
    case 'PROTECTED':
      return new ProtectedUser(meaning.message, meaning.reason);
    case 'REJECTED':
      return new UpstreamRejected(meaning.message, slackCode, status, { remedy: meaning.remedy });
    case 'FILTER_REFUSED':
      return new FilterRefused('Slack does not evaluate this filter.', slackCode, status);
    case 'UNAVAILABLE':
    case 'TRANSIENT':
    case 'LOCKED':
    case 'RATE_LIMITED':
      return unavailable(slackCode);
  }
}
