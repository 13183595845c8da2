/** Parts of the one postal address that Slack stores. */
const addressKey = /^address\.(streetAddress|locality|region|postalCode|country)$/;
/** A name of a field that an organization defined for provisioning. */
const ownKey = /^[A-Za-z][A-Za-z0-9_-]{0,79}$/;
/** Fields of a person that have an input of their own, or belong to the protocol. */
const notProfileFields: readonly string[] = ['startDate', 'schemas', 'id', 'externalId', 'meta'];

/** Whether a profile field can have this key, as the writing to Slack will see it. */
export function isProfileFieldKey(key: string): boolean {
  return addressKey.test(key) || (ownKey.test(key) && !notProfileFields.includes(key));
}
