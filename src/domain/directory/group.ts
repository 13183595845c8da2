/** A Slack group in our words: a user group of a workspace, or an IDP group of an Enterprise organization. */
export interface DirectoryGroup {
  readonly slackId: string;
  readonly name: string;
  /** undefined when the group was read without them. */
  readonly members: readonly GroupMember[] | undefined;
  /** Set where the members are not at hand and their number is known. */
  readonly memberCount?: number;
  readonly createdAt?: Date;
}

export interface GroupMember {
  readonly slackId: string;
  /** As Slack shows it beside the id. */
  readonly name?: string;
}

export type GroupSelector = { readonly slackId: string } | { readonly name: string };

export interface GroupFilter {
  /** The whole name, whatever the case. */
  readonly name?: string;
  /** A part of the name, whatever the case. */
  readonly nameContains?: string;
}

/** Slack's largest user group, documented as a maximum; for an organization's groups it only recommends a size. */
export const LARGEST_USER_GROUP = 5_000;
/** Slack advises so many members a call, and refuses more than three times as many. */
export const MEMBERS_PER_CALL = 5_000;

/** Slack's filter compares names without regard to case. */
export function isSameName(left: string, right: string): boolean {
  return left.trim().toLowerCase() === right.trim().toLowerCase();
}
