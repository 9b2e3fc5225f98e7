import { Flowchart } from '../../ops/support/flowchart';

/** The lines below the one that gives the direction. */
const lines = (chart: Flowchart): string[] => chart.toString().split('\n').slice(2);

test('nodes by their shape, in frames, and arrows between them, in the order in which they were first said', () => {
  const chart = new Flowchart();
  const host = chart.group('host', 'A host');
  const user = chart.node('user', 'pill', ['somebody']);
  const store = chart.node('store', 'cylinder', ['data'], host);
  const server = chart.node('server', 'box', ['server', 'image:1'], host);
  chart.arrow(server, store);
  chart.arrow(user, server, ['4317', '4318']);
  expect(chart.toString()).toBe(
    [
      '%%{init: {"flowchart": {"subGraphTitleMargin": {"top": 4, "bottom": 20}}}}%%',
      'flowchart LR',
      '  user(["somebody"])',
      '  subgraph host["A host"]',
      '    store[("data")]',
      '    server["server<br>image:1"]',
      '  end',
      '  server --> store',
      '  user -->|"4317, 4318"| server',
    ].join('\n'),
  );
});

test('what is said twice is drawn once: the first description of a node, all labels of an arrow', () => {
  const chart = new Flowchart();
  chart.node('a', 'box', ['first']);
  chart.node('a', 'pill', ['second'], chart.group('g', 'frame'));
  chart.arrow('a', 'a', ['traces']);
  chart.arrow('a', 'a', ['logs', 'traces']);
  expect(lines(chart)).toEqual(['  a["first"]', '  a -->|"traces, logs"| a']);
});

test('several frames stand above each other; an empty one is none', () => {
  const chart = new Flowchart();
  chart.group('empty', 'nothing in it');
  chart.node('a', 'box', ['a'], chart.group('one', '1'));
  expect(chart.toString()).toContain('flowchart LR\n');
  expect(chart.toString()).not.toContain('nothing in it');
  chart.node('b', 'box', ['b'], chart.group('two', '2'));
  expect(chart.toString()).toContain('flowchart TB\n');
});

test('a frame in a frame stands after its nodes; with nothing in it, neither is there', () => {
  const chart = new Flowchart();
  const outer = chart.group('outer', 'o');
  const inner = chart.group('inner', 'i', outer);
  expect(lines(chart)).toEqual([]);
  chart.node('b', 'box', ['b'], inner);
  expect(lines(chart)).toEqual(['  subgraph outer["o"]', '    subgraph inner["i"]', '      b["b"]', '    end', '  end']);
  chart.node('a', 'box', ['a'], outer);
  expect(lines(chart)).toEqual(['  subgraph outer["o"]', '    a["a"]', '    subgraph inner["i"]', '      b["b"]', '    end', '  end']);
  expect(chart.toString()).toContain('flowchart LR\n');
});

test('whether an arrow leads to a node', () => {
  const chart = new Flowchart();
  chart.arrow('a', 'b');
  expect([chart.reaches('a'), chart.reaches('b')]).toEqual([false, true]);
});

test('nothing in a text means anything to Mermaid or HTML', () => {
  const chart = new Flowchart();
  const nasty = 'a"]; <b>[x](y) `#1` %%{z}%% | & é 🦊';
  const shown = 'a#34;#93;#59; #60;b#62;#91;x#93;#40;y#41; #96;#35;1#96; #37;#37;#123;z#125;#37;#37; #124; #38; #233; #129418;';
  chart.arrow('a', chart.node('a', 'box', [nasty, 'a_b-c.d:1, e/f'], chart.group('g', nasty)), [nasty]);
  expect(lines(chart)).toEqual([`  subgraph g["${shown}"]`, `    a["${shown}<br>a_b-c.d:1, e/f"]`, '  end', `  a -->|"${shown}"| a`]);
});

test('an ID is one word of Mermaid', () => {
  const chart = new Flowchart();
  chart.arrow(chart.node('host_[::1]:3100', 'box', ['x']), chart.node('volume_a--b.c', 'box', ['y']));
  expect(lines(chart)).toEqual(['  host____1__3100["x"]', '  volume_a__b.c["y"]', '  host____1__3100 --> volume_a__b.c']);
});
