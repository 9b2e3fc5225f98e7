import type { Cloudflare } from './cloudflare-client';
import type { ApiField, ApiShape } from './cloudflare-json';
import { choices, flag, given, id, owner, required, resource, says, time } from './cloudflare-resource';
import { equal, isEmpty, isRecord, unknown, type Props } from './fields';
import { parseDuration } from './go-duration';
import type { Resource } from './resource';

/** Cloudflare Access: who may reach what. */

const words: ApiField = { type: 'list' };
const object = (...fields: string[]): ApiField => ({ type: 'object', of: Object.fromEntries(fields.map((name) => [name, name.endsWith('?') ? given : required]).map(([name, field]) => [(name as string).replace('?', ''), field as ApiField])) });

/** A rule is one of these. */
const rule: ApiShape = {
  anyValidServiceToken: object(),
  authContext: object('acId', 'id', 'identityProviderId'),
  authMethod: object('authMethod'),
  azureAd: { ...object('id', 'identityProviderId'), api: 'azureAD' },
  certificate: object(),
  cloudflareAccountMember: object('accountId?'),
  commonName: object('commonName'),
  devicePosture: object('accountId?', 'integrationUid'),
  email: object('email'),
  emailDomain: object('domain'),
  emailList: object('id'),
  everyone: object(),
  externalEvaluation: object('evaluateUrl', 'keysUrl'),
  geo: object('countryCode'),
  githubOrganization: { ...object('identityProviderId', 'name', 'team?'), api: 'github-organization' },
  group: object('id'),
  gsuite: object('email', 'identityProviderId'),
  ip: object('ip'),
  ipList: object('id'),
  linkedAppToken: object('appUid'),
  loginMethod: object('id'),
  oidc: object('claimName', 'claimValue', 'identityProviderId'),
  okta: object('identityProviderId', 'name'),
  saml: object('attributeName', 'attributeValue', 'identityProviderId'),
  serviceToken: object('tokenId'),
  userRiskScore: { type: 'object', of: { userRiskScores: { type: 'list', required: true, api: 'user_risk_score' } } },
};
const rules = (api: string): ApiField => ({ type: 'set', api, of: rule });

/** False and null are equal, and so are an empty list and null: the recorded value stays. */
function alike(told: Props, before: Props, ...names: string[]): Props {
  return { ...told, ...Object.fromEntries(names.filter((name) => isEmpty(told[name]) && isEmpty(before[name])).map((name) => [name, before[name] ?? null])) };
}

export function accessPolicy(api: Cloudflare): Resource {
  return resource(api, {
    shape: {
      accountId: owner,
      appCount: { type: 'int', output: true },
      approvalGroups: { type: 'set', of: { approvalsNeeded: { type: 'int', required: true }, emailAddresses: words, emailListUuid: given } },
      approvalRequired: flag,
      createdAt: time,
      decision: required,
      excludes: rules('exclude'),
      id,
      includes: rules('include'),
      isolationRequired: flag,
      name: required,
      purposeJustificationPrompt: given,
      purposeJustificationRequired: flag,
      requires: rules('require'),
      reusable: { type: 'bool', output: true },
      // By its type in the SDK nothing is filled in: older versions sent 24h.
      sessionDuration: given,
      updatedAt: time,
    },
    place: (props) => `/accounts/${String(props['accountId'])}/access/policies`,
    imported: { format: '<account_id>/<policy_id>', address: ['accountId'] },
    change: 'PUT',
    validate: (inputs) => {
      const several = Object.entries({ includes: 'include', excludes: 'exclude', requires: 'require' }).flatMap(([name, attribute]): [string, string][] => {
        const given = inputs[name] ?? null;
        const most = Math.max(0, ...(Array.isArray(given) ? given : []).map((one) => (isRecord(one) ? Object.keys(one).length : 0)));
        return most > 1 ? [[name, `Invalid Attribute Value. Attribute ${attribute} must contain at most 1 elements, got: ${most}`]] : [];
      });
      return {
        ...choices({ decision: ['allow', 'deny', 'non_identity', 'bypass'] })(inputs),
        ...Object.fromEntries(several),
      };
    },
    record: (told, before) => alike(told, before, 'approvalGroups', 'approvalRequired', 'excludes', 'includes', 'isolationRequired', 'purposeJustificationRequired', 'requires'),
  });
}

export function serviceToken(api: Cloudflare): Resource {
  const together = ['clientSecretVersion', 'previousClientSecretExpiresAt'] as const;
  return resource(api, {
    shape: {
      accountId: owner,
      clientId: { ...says, stays: true },
      clientSecret: { ...says, stays: true, secret: true, untold: true },
      clientSecretVersion: { type: 'int', computed: true, fallback: 1, untold: true },
      duration: { type: 'string', computed: true, fallback: '8760h' },
      enabled: { type: 'bool', computed: true },
      expiresAt: time,
      id,
      name: required,
      previousClientSecretExpiresAt: { ...given, untold: true },
    },
    place: (props) => `/accounts/${String(props['accountId'])}/access/service_tokens`,
    imported: { format: '<{accounts|zones}/{account_id|zone_id}>/<service_token_id>', address: ['accountId'] },
    change: 'PUT',
    validate: (inputs) => {
      const [set] = together.filter((name) => !isEmpty(inputs[name]));
      const other = together.find((name) => isEmpty(inputs[name]));
      const text = { clientSecretVersion: 'client_secret_version', previousClientSecretExpiresAt: 'previous_client_secret_expires_at' };
      return set && other ? { [set]: `Invalid Attribute Combination. Attribute "${text[other]}" must be specified when "${text[set]}" is specified` } : ({} as Record<string, string>);
    },
    // A different version means a different secret.
    plan: (planned, prior) => (prior && !equal(prior['clientSecretVersion'], planned['clientSecretVersion']) ? { ...planned, clientSecret: unknown } : planned),
    // It is returned once: later responses do not contain it.
    record: (told, before) => ({ ...told, clientSecret: told['clientSecret'] ?? (before['clientSecret'] === unknown ? null : before['clientSecret'] ?? null) }),
  });
}

const whenSelfHosted: Readonly<Record<string, ApiField>> = { appLauncherVisible: { ...flag, computed: true }, httpOnlyCookieAttribute: { ...flag, computed: true }, sessionDuration: { ...given, computed: true } };
const selfHosted: Props = { appLauncherVisible: true, httpOnlyCookieAttribute: true, sessionDuration: '24h' };
const falseByDefault = ['serviceAuth401Redirect', 'enableBindingCookie', 'optionsPreflightBypass', 'autoRedirectToIdentity', 'skipInterstitial', 'allowIframe', 'pathCookieAttribute'];

export function accessApplication(api: Cloudflare): Resource {
  return resource(api, {
    shape: {
      accountId: owner,
      ...Object.fromEntries(['allowAuthenticateViaWarp', ...falseByDefault].map((name) => [name, flag])),
      serviceAuth401Redirect: { ...flag, api: 'service_auth_401_redirect' },
      ...whenSelfHosted,
      ...Object.fromEntries(['customDenyMessage', 'customDenyUrl', 'customNonIdentityDenyUrl', 'logoUrl', 'readServiceTokensFromHeader', 'sameSiteCookieAttribute'].map((name) => [name, given])),
      allowedIdps: { type: 'set' },
      aud: { ...says, stays: true },
      customPages: words,
      destinations: { type: 'list', computed: true, of: { type: { type: 'string', computed: true, fallback: 'public' }, uri: given } },
      domain: { ...given, computed: true },
      id,
      name: { ...given, computed: true, stays: true },
      policies: { type: 'list', of: { id: given, precedence: { type: 'int', computed: true } } },
      selfHostedDomains: { type: 'set', computed: true },
      tags: { type: 'set' },
      type: { ...given, computed: true },
    },
    place: (props) => `/accounts/${String(props['accountId'])}/access/apps`,
    imported: { format: '<{accounts|zones}/{account_id|zone_id}>/<app_id>', address: ['accountId'] },
    change: 'PUT',
    validate: (inputs) => {
      const { type = null, sessionDuration = null } = inputs;
      const badLength = typeof sessionDuration === 'string' && sessionDuration !== unknown && parseDuration(sessionDuration) === undefined;
      return {
        ...(type === 'self_hosted' || type === unknown ? {} : { type: "This stand-in of the provider makes applications of the type 'self_hosted' only" }),
        ...(badLength ? { sessionDuration: 'Invalid Attribute Value Match. Attribute session_duration "session_duration" only supports "ns", "us" (or "µs"), "ms", "s", "m", or "h" as valid units, got: ' + sessionDuration } : {}),
      };
    },
    plan: foretold,
    // Without a list the API would keep the existing policies.
    send: (planned) => ({ ...planned, policies: planned['policies'] ?? [] }),
    record: (told, before) => {
      const same = alike(told, before, 'allowedIdps', 'policies', 'tags', ...falseByDefault);
      return before['httpOnlyCookieAttribute'] === null && told['httpOnlyCookieAttribute'] === true ? { ...same, httpOnlyCookieAttribute: null } : same;
    },
  });
}

/** What the provider predicts for a self-hosted application. */
function foretold(planned: Props, prior: Props | null): Props {
  const told: Props = { ...planned };
  for (const [name, value] of Object.entries(selfHosted)) {
    told[name] = told[name] === unknown ? value : told[name] ?? null;
  }
  // The address is given in one of three ways, and the others follow.
  const wheres = ['domain', 'selfHostedDomains', 'destinations'] as const;
  if (prior && wheres.every((name) => told[name] === unknown || equal(told[name], prior[name]))) {
    wheres.forEach((name) => {
      told[name] = prior[name] ?? null;
    });
  }
  let last = 0;
  if (Array.isArray(told['policies'])) {
    told['policies'] = told['policies'].map((policy) => {
      const { precedence, ...rest } = policy as Props;
      last = typeof precedence === 'number' ? precedence : last + 1;
      return { ...rest, precedence: last };
    });
  }
  return told;
}
