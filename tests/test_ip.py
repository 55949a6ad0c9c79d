"""IP addresses: which are public, and where clouds keep their secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.net.ip import is_metadata, is_public


def each(text: str) -> list[str]:
    return text.split()


BLOCKED = each("""
0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.64.0.1
100.127.255.255 127.0.0.0 127.0.0.1 127.0.0.53 127.255.255.255 169.254.0.0 169.254.169.254
169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1
192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.255 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:20::1 2001:db8::1
2001:db8::5efe:8.8.8.8 2606:4700::5efe:127.0.0.1 2606:4700::200:5efe:8.8.8.8 2606:4700::5efe:808:808
168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254 fd20:ce::254 4000::1 8000::1 1fff::1
2002:7f00:1:: 2002:808:808:: 3fff::1 3fff:fff:: 5f00::1 fc00::1 fd00::1 fdff:ffff::1 fe80::1
fe80::1%eth0 febf::1 fec0::1 feff::1 ff02::1 ff0e::1
""")
PUBLIC = each("""
1.0.0.1 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0
192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255
198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
168.63.129.15 168.63.129.17 2000::1 2003::5eff:808:808 3ffe:ffff::1 3fff:1000::1
2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2400::1 2606:4700::1111
2a00:1450::1 3ffe::1
""")


@pytest.mark.parametrize('address', BLOCKED)
def test_a_private_or_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize('address', PUBLIC)
def test_the_neighbour_of_a_special_range_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    'text',
    each('a.test 127.1 2130706433 0x7f.0.0.1 0177.0.0.1 8.8.8 8.8.8.8.8 8.8.8.8/32 8.8.8.8:80'),
)
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


@given(st.ip_addresses(v=4, network='10.0.0.0/8') | st.ip_addresses(v=6, network='fc00::/7'))
def test_no_private_address_is_public(address: object) -> None:
    assert not is_public(str(address))


@pytest.mark.parametrize(
    'address',
    each("""
    169.254.169.254 169.254.0.0 100.100.100.200 168.63.129.16 192.0.0.192 fe80::1 fe80::1%eth0
    febf::1 fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 ::169.254.169.254
    ::ffff:0:169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe::
    2606:4700::5efe:169.254.169.254 2001:0:808:808:0:0:5601:5601
    """),
)
def test_where_a_cloud_keeps_secrets_is_known(address: str) -> None:
    assert is_metadata(address)


@pytest.mark.parametrize('address', each('10.0.0.1 127.0.0.1 ::1 fd00::1 8.8.8.8 no 64:ff9b::1'))
def test_a_private_network_is_not_where_a_cloud_keeps_secrets(address: str) -> None:
    assert not is_metadata(address)
