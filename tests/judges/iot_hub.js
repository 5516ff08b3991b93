// An MQTT broker (aedes) that judges logins and publishes by what Azure's documents say of IoT Hub.
// Says what it hears as a line of JSON each; `port` first.
// usage: node iot_hub.js HUB DEVICE KEY CERTIFICATE CERTIFICATE_KEY
const path = require('path');
const installed = path.join(__dirname, '../../target/judges/node_modules/aedes/aedes.js');
const {Aedes} = require(installed);
const crypto = require('crypto');
const fs = require('fs');
const tls = require('tls');

const [hub, device, key, certificate, certificateKey] = process.argv.slice(2);
const say = what => console.log(JSON.stringify(what));

// What is wrong with a login; nothing: it is good.
function judgeLogin(client, username, password) {
  const [kind, ...rest] = String(password).split(' ');
  const fields = new Map(rest.join(' ').split('&').map(part => {
    const at = part.indexOf('=');
    return [part.slice(0, at), part.slice(at + 1)];
  }));
  const [sr, sig, se] = ['sr', 'sig', 'se'].map(name => fields.get(name) ?? '');
  const made = crypto.createHmac('sha256', Buffer.from(key, 'base64'));
  const wanted = made.update(sr + '\n' + se).digest('base64');
  const now = Date.now() / 1000;
  const rules = [
    ['client id', client.id === device],
    ['user name', String(username).startsWith(`${hub}/${device}/?api-version=20`)],
    ['kind of password', kind === 'SharedAccessSignature'],
    ['fields of the signature', [...fields.keys()].sort().join() === 'se,sig,sr'],
    ['resource', decodeURIComponent(sr) === `${hub}/devices/${device}`],
    ['signature', decodeURIComponent(sig) === wanted],
    ['date', /^[0-9]+$/.test(se) && Number(se) > now && Number(se) < now + 366 * 86400],
  ];
  return rules.filter(([, holds]) => !holds).map(([name]) => name);
}

// What is wrong with a publish.
function judgePublish(packet) {
  const prefix = `devices/${device}/messages/events/`;
  const rules = [
    ['topic', packet.topic.startsWith(prefix)],
    ['QoS', packet.qos === 1],
    ['retain', !packet.retain],
    ['size', packet.payload.length <= 256 * 1024],
    ['characters', /^[\x21-\x7e]*$/.test(packet.topic) && !/[ +#]/.test(packet.topic)],
  ];
  return rules.filter(([, holds]) => !holds).map(([name]) => name);
}

(async () => {
  const broker = await Aedes.createBroker();
  broker.preConnect = (client, packet, done) => {
    const {protocolVersion: version, clean, will} = packet;
    say({connect: {version, clean, will: Boolean(will)}});
    done(null, true);
  };
  broker.authenticate = (client, username, password, done) => {
    const wrong = judgeLogin(client, username, password);
    say({login: {id: client.id, user: String(username), wrong}});
    const error = Object.assign(new Error('refused'), {returnCode: 5});
    done(wrong.length ? error : null, !wrong.length);
  };
  broker.authorizePublish = (client, packet, done) => {
    const wrong = judgePublish(packet);
    const bag = packet.topic.split('/').slice(4).join('/');
    const properties = bag.split('&').map(part => part.split('=').map(decodeURIComponent));
    const payload = packet.payload.toString();
    say({publish: {topic: packet.topic, properties, payload, dup: packet.dup, wrong}});
    // it has no word for no: the connection ends
    done(wrong.length ? new Error('refused') : null);
  };
  const files = {cert: fs.readFileSync(certificate), key: fs.readFileSync(certificateKey)};
  const server = tls.createServer(files, socket => broker.handle(socket));
  server.listen(0, '127.0.0.1', () => say({port: server.address().port}));
})();
