import { list, object, oneKeyOf, text, type Check } from './body';

/** The kinds of rules that Access has, each with the keys that it must have. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  any_valid_service_token: [],
  auth_context: ['id', 'ac_id', 'identity_provider_id'],
  auth_method: ['auth_method'],
  azureAD: ['id', 'identity_provider_id'],
  certificate: [],
  cloudflare_account_member: [],
  common_name: ['common_name'],
  device_posture: ['integration_uid'],
  email: ['email'],
  email_domain: ['domain'],
  email_list: ['id'],
  everyone: [],
  external_evaluation: ['evaluate_url', 'keys_url'],
  geo: ['country_code'],
  'github-organization': ['identity_provider_id', 'name'],
  group: ['id'],
  gsuite: ['email', 'identity_provider_id'],
  ip: ['ip'],
  ip_list: ['id'],
  linked_app_token: ['app_uid'],
  login_method: ['id'],
  oidc: ['claim_name', 'claim_value', 'identity_provider_id'],
  okta: ['identity_provider_id', 'name'],
  saml: ['attribute_name', 'attribute_value', 'identity_provider_id'],
  service_token: ['token_id'],
};

export const accessRules: Check = list(oneKeyOf(Object.fromEntries(Object.entries(kinds).map(([kind, keys]) =>
  [kind, object(Object.fromEntries(keys.map((key) => [key, text()])), keys)]))));
