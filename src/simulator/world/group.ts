export interface Group {
  readonly id: string;
  displayName: string;
  /** Ids of people, in the order in which they came. */
  members: Set<string>;
  /** `meta.created`. */
  readonly created: string;
  /** Kept by Slack itself, e.g. "Team Admins": nobody can change it (SCIM §5, reported). */
  readonly isAutomatic: boolean;
  /** Restricts channels, so it cannot be deleted (SCIM §5, documented). */
  isLinkedToChannels: boolean;
  /** What reads show until then, while a write is not yet visible (SCIM §3, reported). */
  earlier: { displayName: string; members: readonly string[]; until: number } | null;
}

export function shownMembers(group: Group): readonly string[] {
  return group.earlier?.members ?? [...group.members];
}

export function shownDisplayName(group: Group): string {
  return group.earlier?.displayName ?? group.displayName;
}
