"""Microsoft's own device SDK: one message over MQTT to a hub on loopback, on a port of its own.

usage: iot_hub_sdk.py HUB DEVICE KEY PORT CA
"""
import sys

hub, device, key, port, ca = sys.argv[1:]

import paho.mqtt.client as mqtt

connect = mqtt.Client.connect
mqtt.Client.connect = lambda self, host, port=None, **more: connect(self, host, PORT, **more)
PORT = int(port)

from azure.iot.device import IoTHubDeviceClient, Message

login = f"HostName={hub};DeviceId={device};SharedAccessKey={key}"
with open(ca) as file:
    issuer = file.read()
client = IoTHubDeviceClient.create_from_connection_string(
    login, server_verification_cert=issuer, sastoken_ttl=3600
)
client.connect()
message = Message('{"ident":"4711/\u00e4 &"}')
message.message_id = "00000007:1"
message.content_type = "application/json;charset=utf-8"
message.content_encoding = "utf-8"
message.custom_properties["iothub-creation-time-utc"] = "2023-11-14T22:13:20.500Z"
message.custom_properties["who"] = "4711/\u00e4 &"
client.send_message(message)
client.shutdown()
