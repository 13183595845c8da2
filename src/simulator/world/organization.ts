import { type Group, shownMembers } from './group';
import { copyPerson, emailsOf, mayAdminister, type Person, type Rank } from './person';

export type OrganizationKey = 'enterprise' | 'business' | 'pro';
export type Plan = 'enterprise' | 'business' | 'pro';
export const plans: readonly Plan[] = ['enterprise', 'business', 'pro'];

export interface Workspace {
  readonly id: string;
  readonly name: string;
  /** Host part before `.slack.com`. */
  readonly domain: string;
}

export interface OrganizationFacts {
  /** Stable name of the seeded organization, the same for every seed. */
  readonly key: OrganizationKey;
  /** `E…` for an Enterprise organization, else `T…`. */
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  plan: Plan;
  /** Workspaces inside an Enterprise organization; empty for a workspace that stands alone. */
  readonly workspaces: readonly Workspace[];
  /** Share one name space with userName (SCIM §4.2, documented). */
  readonly channelNames: readonly string[];
}

/** One customer of Slack: its people and groups, with the indexes that keep reads and uniqueness checks cheap. */
export class Organization implements OrganizationFacts {
  readonly key: OrganizationKey;
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  plan: Plan;
  readonly workspaces: readonly Workspace[];
  readonly channelNames: readonly string[];
  readonly people = new Map<string, Person>();
  readonly groups = new Map<string, Group>();
  readonly #byUserName = new Map<string, string>();
  readonly #byEmail = new Map<string, string>();
  readonly #memberships = new Map<string, Set<string>>();
  readonly #pendingPeople = new Set<string>();
  readonly #pendingGroups = new Set<string>();

  constructor(facts: OrganizationFacts) {
    this.key = facts.key;
    this.id = facts.id;
    this.name = facts.name;
    this.domain = facts.domain;
    this.plan = facts.plan;
    this.workspaces = facts.workspaces;
    this.channelNames = facts.channelNames;
  }

  get isEnterprise(): boolean {
    return this.id.startsWith('E');
  }

  personByUserName(userName: string): Person | undefined {
    return this.#lookUp(this.#byUserName, userName);
  }

  /** Finds active and deactivated people, by either address, whatever the letter case. */
  personByEmail(email: string): Person | undefined {
    return this.#lookUp(this.#byEmail, email);
  }

  isUserNameTaken(userName: string, byOtherThan: string | null): boolean {
    const holder = this.personByUserName(userName);
    return (holder !== undefined && holder.id !== byOtherThan) || this.channelNames.includes(userName);
  }

  addPerson(person: Person): void {
    this.people.set(person.id, person);
    this.#index(person);
    if (hasPending(person)) this.#pendingPeople.add(person.id);
    if (mayAdminister(person)) this.refreshAutomaticGroups();
  }

  /** Takes over an edited copy of a person as one step. */
  replacePerson(edited: Person): void {
    const current = this.people.get(edited.id);
    if (!current) throw new Error('Only a person of this organization can be replaced');
    this.#byUserName.delete(current.userName.toLowerCase());
    for (const email of emailsOf(current)) this.#byEmail.delete(email.toLowerCase());
    Object.assign(current, copyPerson(edited));
    this.#index(current);
    if (hasPending(current)) this.#pendingPeople.add(current.id);
    if (!current.active) this.leaveGroups(current.id);
    if (mayAdminister(current)) this.refreshAutomaticGroups();
  }

  /** What an administrator does in Slack itself: SCIM cannot change ranks (SCIM §4.6, documented for guests). */
  setRank(person: Person, rank: Rank): void {
    person.rank = rank;
    if (rank !== 'member') person.guest = null;
    this.refreshAutomaticGroups();
  }

  /** Now, or at an instant that `settle` waits for. Repeating it changes nothing. */
  deactivate(person: Person, now: number, delayMs: number): void {
    if (!person.active || person.pendingDeactivationAt !== null) return;
    person.pendingDeactivationAt = now + delayMs;
    this.#pendingPeople.add(person.id);
    if (delayMs === 0) this.settle(now, person.id);
  }

  /** Also takes back a deactivation that is not visible yet. */
  reactivate(person: Person): void {
    person.active = true;
    person.pendingDeactivationAt = null;
    if (mayAdminister(person)) this.refreshAutomaticGroups();
  }

  /** Makes every change visible whose time has come. */
  settle(now: number, onlyPersonId?: string): void {
    for (const id of onlyPersonId === undefined ? this.#pendingPeople : [onlyPersonId]) {
      const person = this.people.get(id);
      if (!person) continue;
      if (person.pendingDeactivationAt !== null && person.pendingDeactivationAt <= now)
        this.#finishDeactivation(person);
      if (person.pendingPhoto && person.pendingPhoto.visibleAt <= now && onlyPersonId === undefined) {
        person.photo = person.pendingPhoto.value;
        person.pendingPhoto = null;
      }
      if (!hasPending(person)) this.#pendingPeople.delete(id);
    }
    for (const id of this.#pendingGroups) {
      const group = this.groups.get(id);
      if (group?.earlier && group.earlier.until > now) continue;
      if (group) group.earlier = null;
      this.#pendingGroups.delete(id);
    }
  }

  addGroup(group: Group): void {
    this.groups.set(group.id, group);
    for (const personId of group.members) this.#join(personId, group.id);
    if (group.earlier) this.#pendingGroups.add(group.id);
  }

  removeGroup(group: Group): void {
    this.groups.delete(group.id);
    for (const personId of group.members) this.#memberships.get(personId)?.delete(group.id);
  }

  /** @param visibleAt reads show the group as it was until then; null shows the change at once. */
  changeGroup(group: Group, change: { displayName: string; members: Set<string> }, visibleAt: number | null): void {
    if (visibleAt !== null) {
      group.earlier ??= { displayName: group.displayName, members: [...group.members], until: visibleAt };
      group.earlier.until = visibleAt;
      this.#pendingGroups.add(group.id);
    }
    for (const id of group.members) if (!change.members.has(id)) this.#memberships.get(id)?.delete(group.id);
    for (const id of change.members) if (!group.members.has(id)) this.#join(id, group.id);
    group.displayName = change.displayName;
    group.members = change.members;
  }

  leaveGroups(personId: string): void {
    for (const groupId of this.#memberships.get(personId) ?? []) this.groups.get(groupId)?.members.delete(personId);
    this.#memberships.delete(personId);
  }

  /** Groups that a read of this person shows. */
  groupsOf(personId: string): Group[] {
    const shown: Group[] = [];
    for (const id of this.#memberships.get(personId) ?? []) {
      const group = this.groups.get(id);
      if (group && !group.earlier) shown.push(group);
    }
    for (const id of this.#pendingGroups) {
      const group = this.groups.get(id);
      if (group?.earlier && shownMembers(group).includes(personId)) shown.push(group);
    }
    return shown;
  }

  #finishDeactivation(person: Person): void {
    person.active = false;
    person.pendingDeactivationAt = null;
    // Assumed: a deactivated account leaves its groups, as it leaves its channels (SCIM §4.8).
    this.leaveGroups(person.id);
    if (mayAdminister(person)) this.refreshAutomaticGroups();
  }

  refreshAutomaticGroups(): void {
    for (const group of this.groups.values()) {
      if (!group.isAutomatic) continue;
      const members = new Set<string>();
      for (const person of this.people.values()) if (person.active && mayAdminister(person)) members.add(person.id);
      this.changeGroup(group, { displayName: group.displayName, members }, null);
    }
  }

  #join(personId: string, groupId: string): void {
    const groupIds = this.#memberships.get(personId) ?? new Set<string>();
    groupIds.add(groupId);
    this.#memberships.set(personId, groupIds);
  }

  #index(person: Person): void {
    this.#byUserName.set(person.userName.toLowerCase(), person.id);
    for (const email of emailsOf(person)) this.#byEmail.set(email.toLowerCase(), person.id);
  }

  #lookUp(index: Map<string, string>, key: string): Person | undefined {
    const id = index.get(key.toLowerCase());
    return id === undefined ? undefined : this.people.get(id);
  }
}

function hasPending(person: Person): boolean {
  return person.pendingDeactivationAt !== null || person.pendingPhoto !== null;
}
