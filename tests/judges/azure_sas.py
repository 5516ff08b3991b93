"""Microsoft's own makers of shared access signatures: the token of a device, and that of a policy.

usage: azure_sas.py NOW DEVICE_RESOURCE DEVICE_KEY HUB_URI HUB_KEY POLICY; both hold for an hour
"""
import datetime
import sys
import time

now, device, device_key, hub, hub_key, policy = sys.argv[1:]
time.time = lambda: float(now)

from azure.iot.device.common.auth import sastoken, signing_mechanism
import azure.eventhub._client_base as eventhub

mechanism = signing_mechanism.SymmetricKeySigningMechanism(device_key)
print(sastoken.RenewableSasToken(device, mechanism, ttl=3600))
token = eventhub._generate_sas_token(hub, policy, hub_key, datetime.timedelta(hours=1))
print(token.token if isinstance(token.token, str) else token.token.decode())
