import assert from "node:assert/strict";
import { test } from "node:test";
import { isJumbo, mentionNames, mentions, tokens } from "../../../../s3-website/public/js/state/text.js";

const ADA = mentionNames("Ada Lovelace");
const written = (list) => list.map(({ text }) => text).join("");
const only = (kind, text, names) =>
  tokens(text, names)
    .filter((token) => token.kind === kind)
    .map((token) => token.text);
const link = (text) => tokens(text).find(({ kind }) => kind === "link");

test("a plain text is one token", () => {
  assert.deepEqual(tokens("a < b & c"), [{ kind: "text", text: "a < b & c" }]);
  assert.deepEqual(tokens(""), []);
});

test("the tokens of any text, joined, are what was written", () => {
  const bits = [
    "`", "```", "\n", "http://", "https://a.b/", "@Ada", " ", "(", ")", ".", "é", "\u202e", "x",
    "\0",
  ];
  let seed = 1;
  for (let round = 0; round < 3000; round++) {
    let text = "";
    for (let length = seed % 14; length >= 0; length--) {
      seed = (seed * 48_271) % 2_147_483_647;
      text += bits[seed % bits.length];
    }
    assert.equal(written(tokens(text, ADA)), text);
  }
});

test("an address becomes a link without the sentence's marks", () => {
  for (const [text, address] of [
    ["see https://a.example/x.", "https://a.example/x"],
    ["(https://a.example/x)", "https://a.example/x"],
    ["https://a.example/x_(y)", "https://a.example/x_(y)"],
    ["[https://a.example/x_(y)]...", "https://a.example/x_(y)"],
    ["“https://a.example/x”", "https://a.example/x"],
    ["https://a.example/x(", "https://a.example/x"],
    ["<https://a.example/?q=1&r=[2]>", "https://a.example/?q=1&r=[2]"],
    ["HTTP://A.EXAMPLE", "HTTP://A.EXAMPLE"],
    ["https://a.example/x。", "https://a.example/x"],
    ["http://[::1]:8080/x]", "http://[::1]:8080/x"],
  ]) {
    assert.deepEqual(only("link", text), [address], text);
  }
});

test("only http and https become links", () => {
  for (const text of [
    "javascript:alert(1)", "data:text/html,x", "ftp://a.b", "www.a.b", "xhttp://a.b", "https://",
    "http://:", "https:a.b",
  ]) {
    assert.equal(link(text), undefined, text);
  }
});

test("an address that hides where it leads stays text", () => {
  for (const text of [
    "https://google.com@evil.example", "https://a:b@evil.example/",
    "https://google.com%40x@evil.example",
  ]) {
    assert.deepEqual(tokens(text), [{ kind: "text", text }]);
  }
});

test("a link's address is the browser's reading of it", () => {
  assert.equal(link("https://bücher.example/ä")?.href, "https://xn--bcher-kva.example/%C3%A4");
  assert.equal(link("https://a.example\\@evil.example")?.href, "https://a.example/@evil.example");
});

test("a link ends before a mark that turns the direction of reading", () => {
  assert.deepEqual(only("link", "https://a.example/\u202egnp.exe"), ["https://a.example/"]);
});

test("one backtick marks code within a line", () => {
  assert.deepEqual(tokens("a `b` c"), [
    { kind: "text", text: "a " },
    { kind: "fence", text: "`" },
    { kind: "code", text: "b" },
    { kind: "fence", text: "`" },
    { kind: "text", text: " c" },
  ]);
  assert.deepEqual(only("code", "`a\nb` `` ` `"), []);
});

test("three backticks mark a block, with its language and line breaks in the marks", () => {
  assert.deepEqual(tokens("x\n```js\nlet a;\n\nb\n```\ny"), [
    { kind: "text", text: "x" },
    { kind: "fence", text: "\n```js\n" },
    { kind: "block", text: "let a;\n\nb" },
    { kind: "fence", text: "\n```\n" },
    { kind: "text", text: "y" },
  ]);
  assert.deepEqual(only("block", "```one line```"), ["one line"]);
  assert.deepEqual(only("block", "```open"), []);
  assert.deepEqual(only("block", "```\n \n```"), []);
});

test("in code nothing else is marked", () => {
  const text = "`https://a.example @Ada` ```@Ada `x` https://a.example```";
  assert.deepEqual(only("link", text, ADA), []);
  assert.deepEqual(only("mention", text, ADA), []);
});

test("a mention is the name or its first word, as a word of its own", () => {
  assert.deepEqual(
    only("mention", "@ada, @ADA LOVELACE and (@Ada)!", ADA),
    ["@ada", "@ADA LOVELACE", "@Ada"],
  );
  assert.deepEqual(only("mention", "@Adam x@ada a.@ada @@ada @ada_ @ad @", ADA), []);
});

test("names of any script and any signs can be mentioned", () => {
  assert.deepEqual(only("mention", "@Żółw!", mentionNames("żółw")), ["@Żółw"]);
  assert.deepEqual(only("mention", "@Zoe\u0308.", mentionNames("Zoë")), ["@Zoe\u0308"]);
  assert.deepEqual(only("mention", "@a.*", mentionNames("a.* (b|c")), ["@a.*"]);
  assert.deepEqual(only("mention", "@x", mentionNames("a.* (b|c")), []);
  assert.deepEqual(mentionNames(" ?! "), []);
  assert.deepEqual(only("mention", "@ x", mentionNames("")), []);
});

test("a few emoji alone are shown larger", () => {
  for (const text of ["🎉", "👍🏽 ❤️", "🇩🇪", "👨‍👩‍👧"]) assert.ok(isJumbo(text), text);
  for (const text of ["", "1", "a🎉", "🎉".repeat(30), "©".repeat(40)]) assert.ok(!isJumbo(text), text);
});

test("the work grows with the length of a hostile text, not with its square", () => {
  const bits = [
    "`", "``", "```", "\n```", "```x\n", "`\n", "http://", "http://a@", "(", ")", "[(",
    "http://a.b/)", "http://a.b/(", "@", "@Ada ", "@Ada", "\n",
  ];
  // for eight times the text, linear work takes about 8 times as long, quadratic work 64 times
  for (const bit of bits) {
    const time = (length) => cpuTime(bit.repeat(length / bit.length));
    const isLinear = () => time(80_000) < 30 * time(10_000);
    // a busy machine may spoil one comparison
    assert.ok([1, 2, 3, 4, 5].some(isLinear), JSON.stringify(bit));
  }
});

/** @param {string} text @returns {number} the shortest of a few, in microseconds */
function cpuTime(text) {
  let best = Infinity;
  for (let round = 0; round < 4; round++) {
    const start = process.cpuUsage();
    tokens(text, ADA);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, user + system);
  }
  return Math.max(best, 50);
}

for (const [text, name, named] of [
  ["hi @Ada Lovelace!", "Ada Lovelace", true],
  ["hi @ada", "Ada Lovelace", true],
  ["@ADA   lovelace", "Ada Lovelace", true],
  ["(@ada)", "Ada Lovelace", true],
  ["@adam", "Ada Lovelace", false],
  ["ada", "Ada Lovelace", false],
  ["mail me@ada.test", "Ada Lovelace", false],
  ["@lovelace", "Ada Lovelace", false],
  ["@Łukasz, 李", "Łukasz 李", true],
  ["@łukasz", "Łukasz 李", true],
  ["@e\u0301va", "Éva Kiss", true],
  ["@(.*)", "(.*) Hacker", false],
  ["@anything", "(.*)", false],
  ["@a+b", "a+b (c) [d", true],
  ["@ ", "   ", false],
]) {
  test(`"${text}" ${named ? "mentions" : "does not mention"} ${name}`, () => {
    assert.equal(mentions(text, name), named);
  });
}

/** @param {number} times @returns {number} microseconds of CPU time */
function searchCost(times) {
  const text = "@ad ".repeat(times);
  const before = process.cpuUsage();
  assert.equal(mentions(text, "Grace Hopper"), false);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

test("what the search for a mention costs grows no faster than the text", () => {
  searchCost(10_000);
  const ratio = searchCost(200_000) / searchCost(20_000);
  assert.ok(ratio < 40, `ten times the text, ${ratio} times the work`);
});
