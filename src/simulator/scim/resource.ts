import { type Group, shownDisplayName, shownMembers } from '../world/group';
import type { Organization } from '../world/organization';
import { gravatarUrl, type Person, type ProfileFields, shownName } from '../world/person';
import { enterpriseUrn, groupUrn, guestUrn, profileUrn, userUrn } from './urns';
import { profileUrlOf } from './user-attributes';

/**
 * A user as Slack shows it, with keys in the recorded order and in one of the two recorded shapes (SCIM §4.3).
 * @param base URL below which `/Users/{id}` lies.
 */
export function userResource(organization: Organization, person: Person, base: string): object {
  const { guest, profile } = person;
  const extensions = [...(guest ? [guestUrn] : []), ...(profile ? [enterpriseUrn, profileUrn] : [])];
  return {
    schemas: [userUrn, ...extensions],
    id: person.id,
    // Never stored (SCIM §4.2, documented).
    externalId: '',
    meta: { created: person.created, location: `${base}/Users/${person.id}` },
    userName: person.userName,
    nickName: person.userName,
    name: {
      givenName: person.givenName,
      familyName: person.familyName,
      ...(profile ? { honorificPrefix: profile.honorificPrefix } : {}),
    },
    displayName: person.displayName,
    profileUrl: person.profileUrl ?? profileUrlOf(organization, person.userName),
    title: person.title,
    timezone: person.timezone,
    active: person.active,
    emails: [
      { value: person.primaryEmail, primary: true },
      ...(person.secondaryEmail === null ? [] : [{ value: person.secondaryEmail, primary: false }]),
    ],
    photos: [{ value: person.photo ?? gravatarUrl(person.primaryEmail), type: 'photo' }],
    ...(profile ? profileParts(profile) : {}),
    groups: organization.groupsOf(person.id).map((group) => ({ value: group.id, display: shownDisplayName(group) })),
    ...(guest ? { [guestUrn]: guest.expiration === null ? { type: guest.type } : { ...guest } } : {}),
  };
}

/** Blanks are null here, inside one-element lists too (SCIM §4.3, documented); phone labels are swapped (§4.5, documented). */
function profileParts(profile: ProfileFields): object {
  const { streetAddress, locality, region, postalCode, country } = profile;
  const { employeeNumber, costCenter, organization, division, department } = profile;
  return {
    addresses: [{ streetAddress, locality, region, postalCode, country }],
    phoneNumbers: [
      { value: profile.mobilePhone, type: 'mobile' },
      { value: profile.primaryPhone, primary: true },
    ],
    userType: profile.userType,
    roles: [{ value: profile.role, primary: true }],
    preferredLanguage: profile.preferredLanguage,
    locale: profile.locale,
    [enterpriseUrn]: {
      employeeNumber,
      costCenter,
      organization,
      division,
      department,
      manager: { managerId: profile.managerId },
    },
    [profileUrn]: { startDate: profile.startDate },
  };
}

/** A group, keys in the recorded order (SCIM §5). */
export function groupResource(
  organization: Organization,
  group: Group,
  base: string,
  { withMembers = true } = {},
): object {
  return {
    schemas: [groupUrn],
    id: group.id,
    meta: { created: group.created, location: `${base}/Groups/${group.id}` },
    displayName: shownDisplayName(group),
    ...(withMembers ? { members: shownMembers(group).flatMap((id) => memberResource(organization, id)) } : {}),
  };
}

function memberResource(organization: Organization, id: string): object[] {
  const person = organization.people.get(id);
  return person ? [{ value: person.id, display: shownName(person) }] : [];
}
