import { endsOn, nearness } from '../../settings/ending';

const now = Date.parse('2026-11-21T08:00:00Z');

test.each([
  ['2025-01-02T03:04:05Z', 'past', 'has expired on 2025-01-02'],
  ['2026-11-21T08:00:00Z', 'past', 'has expired on 2026-11-21'],
  ['2026-11-21T08:00:00.001Z', 'soon', 'expires on 2026-11-21'],
  ['2026-12-21T07:59:59.999Z', 'soon', 'expires on 2026-12-21'],
  ['2026-12-21T08:00:00Z', 'far', 'expires on 2026-12-21'],
  ['2140-01-01T00:00:00.000Z', 'far', 'expires on 2140-01-01'],
])('%s is %s', (end, near, words) => expect([nearness(end, now), endsOn(end, now)]).toEqual([near, words]));

test('what has no end is far from it', () => expect(nearness('', now)).toBe('far'));
