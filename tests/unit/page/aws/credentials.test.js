import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AwsError,
  NetworkError,
  ShapeError,
} from "../../../../s3-website/public/js/aws/request.js";
import { pictureUrl } from "../../../../s3-website/public/js/aws/records.js";
import {
  assumeRole,
  explainRefusal,
  readClaims,
  renewsAt,
  userId,
} from "../../../../s3-website/public/js/aws/credentials.js";
import { NEVER, xmlError } from "./answers.js";

const config = {
  roleArn: "arn:aws:iam::123456789012:role/page",
  endpoints: { sts: "https://sts.eu-west-1.amazonaws.com" },
};

function token(claims) {
  const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${base64url({ alg: "RS256" })}.${base64url(claims)}.signature`;
}

test("a token's name and lifetime are read, whatever script the name is in", () => {
  const claims = readClaims(
    token({ sub: "1", name: "Łukasz 李", nonce: "n", iat: 100, exp: 3700 }),
  );
  assert.deepEqual(claims, {
    subject: "1",
    name: "Łukasz 李",
    picture: "",
    nonce: "n",
    issuedAt: 100_000,
    expiresAt: 3_700_000,
    lifetimeMs: 3_600_000,
  });
});

for (const [claims, name] of [
  [{ name: " Ada\n Lovelace " }, "Ada Lovelace"],
  [{ name: "A\u200bd\u202ea\u3164" }, "Ada"],
  [{ name: "\u3164", given_name: "Ada" }, "Ada"],
  [{ name: "\u2800\u0301" }, "Someone"],
  [{ name: "\u2800Ada\u2800 \u200b Lovelace" }, "Ada Lovelace"],
  [{ name: "🦄" }, "Someone"],
  [{ name: "ＯＰＥＲＡＴＯＲ" }, "Someone"],
  [{ name: "Operator", given_name: "Ada" }, "Ada"],
  [{ name: "Olga Operator" }, "Olga Operator"],
  [{ name: 7 }, "Someone"],
]) {
  test(`the name ${JSON.stringify(claims)} is shown as ${name}, as store_message stores it`, () => {
    assert.equal(readClaims(token({ sub: "1", iat: 0, exp: 1, ...claims })).name, name);
  });
}

test("a picture is one of Google's over https, or none", () => {
  const good = "https://lh3.googleusercontent.com/a/ACg8ocK=s96-c";
  assert.equal(readClaims(token({ sub: "1", iat: 0, exp: 1, picture: good })).picture, good);
  for (const bad of [
    ...["", "http://lh3.googleusercontent.com/a", "https://evilgoogleusercontent.com/a"],
    ...["https://lh3.googleusercontent.com.evil.test/a", "https://evil.test/.googleusercontent.com/"],
    ...["https://lh3.googleusercontent.com@evil.test/", "https://a:b@lh3.googleusercontent.com/a"],
    ...["https://lh3.googleusercontent.com:8443/a", "javascript:alert(1)//.googleusercontent.com/"],
    ...["https://lh3.googleusercontent.com/a b", `${good}${"x".repeat(2000)}`, null, 7, {}],
  ]) {
    assert.equal(pictureUrl(bad), "", String(bad).slice(0, 80));
  }
});

for (const bad of [
  "",
  "a.b",
  "a.!!.c",
  token({ name: "Ada" }),
  token([]),
  token({ sub: 1, iat: 1, exp: 2 }),
]) {
  test(`"${bad.slice(0, 40)}" is no token`, () => {
    assert.throws(() => readClaims(bad), ShapeError);
  });
}

test("a user's id is the one that store_message writes", async () => {
  const id = await userId({ subject: "110169484474386276334" });
  assert.equal(id, "4c1e8cb1fa903ce1");
});

test("a token is exchanged for credentials of the page's role", async () => {
  const body =
    "<R><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/+=</SecretAccessKey>" +
    "<SessionToken>t</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration></Credentials></R>";
  let asked;
  const send = async (url, init) => ((asked = { url, form: init.body }), new Response(body));
  const found = await assumeRole(config, "a.b.c", NEVER, () => 1000, send);
  assert.deepEqual(found, {
    accessKeyId: "ASIA1",
    secretAccessKey: "s/+=",
    sessionToken: "t",
    endsAt: 3_601_000,
  });
  assert.equal(asked.url, config.endpoints.sts);
  assert.equal(asked.form.get("RoleArn"), config.roleArn);
  assert.equal(asked.form.get("WebIdentityToken"), "a.b.c");
});

test("a refused token is an error with STS's code", async () => {
  const send = async () =>
    new Response(xmlError("AccessDenied", "Not authorized"), { status: 403 });
  await assert.rejects(assumeRole(config, "a.b.c", NEVER, Date.now, send), {
    code: "AccessDenied",
  });
});

test("a token that gets no answer was not refused", async () => {
  const send = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(assumeRole(config, "a.b.c", NEVER, Date.now, send), NetworkError);
});

test("an answer of STS without credentials is an error", async () => {
  const send = async () => new Response("<html>captive portal</html>");
  await assert.rejects(assumeRole(config, "a.b.c", NEVER, Date.now, send), ShapeError);
});

test("each refusal of a sign-in is told in words", () => {
  for (const code of [
    "ExpiredTokenException",
    "InvalidIdentityToken",
    "IDPRejectedClaim",
    "AccessDenied",
  ]) {
    assert.match(explainRefusal(new AwsError(code, "", 400)), /sign-in/);
  }
  assert.equal(explainRefusal(new AwsError("SlowDown", "", 503)), "");
  assert.equal(explainRefusal(new TypeError("Failed to fetch")), "");
});

test("a sign-in is renewed five minutes before its end, a short one in its last quarter", () => {
  assert.equal(renewsAt(0, 3_600_000), 3_300_000);
  assert.equal(renewsAt(0, 60_000), 45_000);
});
