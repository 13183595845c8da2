/**
 * What was learned about the server behind an origin, so that it is asked in the right form at once. Slack is assumed
 * until an answer shows a standard SCIM server.
 */
export interface OriginTraits {
  requestMediaType: string;
  /** Set by an answer of type application/scim+json, which Slack does not use. */
  isStandardServer: boolean;
  patchIsSupported: boolean;
  /** Whether reads may be asked to leave attributes out; whether they then do is another matter. */
  excludedAttributesAreTaken: boolean;
  /** The form of an e-mail filter that was accepted; see user-lookup.ts. */
  emailFilterForm: number | undefined;
}

/** As Slack's SDKs send it. */
export const JSON_MEDIA_TYPE = 'application/json; charset=utf-8';
export const SCIM_MEDIA_TYPE = 'application/scim+json';

export function newOriginTraits(): OriginTraits {
  return {
    requestMediaType: JSON_MEDIA_TYPE,
    isStandardServer: false,
    patchIsSupported: true,
    excludedAttributesAreTaken: true,
    emailFilterForm: undefined,
  };
}
