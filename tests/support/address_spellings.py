"""Spellings of addresses that must never lead to this machine or its network.

Most of them are read as this machine by one parser or resolver or another.
"""

from __future__ import annotations

# Hosts that some resolver or parser takes for this machine, for its network or for a cloud's
# secrets; each is asked for at the port of a listener that counts.
HOSTS = """
127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254 127.1 127.0.1 127.01 0177.0.0.1 0177.1 00000177.0.0.1
0x7f.0.0.1 0x7f.1 0X7F.0.0.1 0x7f000001 0x7F000001 2130706433 02130706433 017700000001 127.0.0.0x1
127.0.0.01 127.00.00.01 127.0.0.1. 127.1. 0x7f000001. 2130706433. 0.0.0.0 0.0.0.1 0 0. 00 0x0 0x 0.0
0.1.2.3 4294967295 4294967296 6425673729 340282366920938463463374607431768211457 256.256.256.256
127.0.0.256 127.0.0.1.1 127..1 .127.0.0.1 127.0.0.1.. 127.0.0.1%2e 127%2e0%2e0%2e1 %31%32%37.0.0.1
%6cocalhost localhost%00 localhost%2e %00localhost 127.0.0.1%00.ok.test
localhost LOCALHOST LocalHost localhost. localhost.. .localhost localhost.localdomain
ip6-localhost ip6-loopback a.localhost
１２７.0.0.1 127.0.0.１ ①②⑦.⓪.⓪.① 𝟏𝟐𝟕.𝟎.𝟎.𝟏 127。0。0。1 127．0．0．1 127｡0｡0｡1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌocalhost
locaⅼhost loca\u00adlhost loca\u200blhost local\u2060host lo\u0301calhost localho\u017ft
[::1] [::0001] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::] [0::0]
[::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::FFFF:7F00:1] [0:0:0:0:0:ffff:127.0.0.1]
[::ffff:0:127.0.0.1] [::ffff:0:7f00:1] [::ffff:0.0.0.0] [::ffff:10.0.0.1] [::ffff:169.254.169.254]
[64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1] [64:ff9b:1:ffff::1]
[2002:7f00:1::] [2002:7f00:1::1] [2002:a00:1::] [2002:a9fe:a9fe::] [2001:0:7f00:1::]
[2001:0:808:808:0:0:80ff:fffe] [2001:db8::1] [2606:4700::5efe:127.0.0.1] [fe80::5efe:7f00:1]
[2606:4700::200:5efe:10.0.0.1] [fe80::1] [fe80::1%25lo] [fe80::1%lo] [::1%25lo] [::1%lo] [febf::1]
[fec0::1] [fc00::1] [fd00::1] [fd00:ec2::254] [fd20:ce::254] [ff02::1] [ff01::1] [ff0e::1] [100::1]
[5f00::1] [3fff::1] [4000::1] [[::1]] [::1]] [::1].ok.test [::1]ok [:::1] [::1::] [localhost] []
[127.0.0.1] [v1.127] ::1 ::ffff:127.0.0.1
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 100.64.0.1
100.100.100.200 100.127.255.255 169.254.0.1 169.254.169.254 169.254.170.2 0xa9fea9fe 2852039166
0251.0376.0251.0376 169.254.43518 192.0.0.1 192.0.0.8 192.0.0.170 192.0.0.192 192.0.2.1 192.88.99.1
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 168.63.129.16 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255
metadata metadata.google.internal METADATA.google.internal. metadata.goog instance-data
instance-data.ec2.internal metadata.tencentyun.com
user@127.0.0.1 user:word@127.0.0.1 ok.test@127.0.0.1 ok.test:80@127.0.0.1 @127.0.0.1
127.0.0.1@ok.test :@127.0.0.1 ok.test%40127.0.0.1 ok.test@@127.0.0.1 ok.test／@127.0.0.1
127.0.0.1\\ 127.0.0.1\\@ok.test ok.test\\@127.0.0.1 ok.test\\.127.0.0.1 \\127.0.0.1
127.0.0.1,ok.test 127.0.0.1;ok.test 127.0.0.1'ok {127.0.0.1} <127.0.0.1> "127.0.0.1" `127.0.0.1`
*.localhost local_host$ 127.0.0.1! 127.0.0.1| 127.0.0.1^ (127.0.0.1) 127.0.0.1&ok ~localhost
"""
WITH_CONTROLS = (
    *('127.0.0.1\t', '127.0.\t0.1', 'local\nhost', '127.0.0.1\r\n', 'ok.test\r\nHost: 127.0.0.1'),
    *(
        '127.0.0.1\x00',
        '\x00127.0.0.1',
        '\x7f127.0.0.1',
        '127.0.0.1\x0b',
        'local host',
        '\u3000127.1',
    ),
)

WHOLE = (
    'http:127.0.0.1:{port}/x.png',
    'http:/127.0.0.1:{port}/x.png',
    'http:///127.0.0.1:{port}/x.png',
    'http:////127.0.0.1:{port}/x.png',
    'http:\\\\127.0.0.1:{port}/x.png',
    'http:/\\127.0.0.1:{port}/x.png',
    'http:\\/127.0.0.1:{port}/x.png',
    'http://ok.test#@127.0.0.1:{port}/x.png',
    'http://ok.test?@127.0.0.1:{port}/x.png',
    'http://127.0.0.1:{port}#@ok.test/x.png',
    'http://127.0.0.1:{port}?@ok.test/x.png',
    'http://127.0.0.1:{port}:80/x.png',
    'http://127.0.0.1:80:{port}/x.png',
    'http://127.0.0.1:0{port}1/x.png',
    'http://127.0.0.1:+{port}/x.png',
    'http://127.0.0.1: {port}/x.png',
    'http://127.0.0.1 :{port}/x.png',
    'http://127.0.0.1:{port}\t/x.png',
    'http://127.0.0.1:１{port}/x.png',
    'http://127.0.0.1:/x.png',
    'http://127.0.0.1:0/x.png',
    'http://127.0.0.1:65536/x.png',
    'http://127.0.0.1:99999/x.png',
    'http://127.0.0.1:-1/x.png',
    'http://127.0.0.1:8a/x.png',
    'https://127.0.0.1:{port}/x.png',
    'hTTp://127.0.0.1:{port}/x.png',
    'http://http://127.0.0.1:{port}/x.png',
    'url:http://127.0.0.1:{port}/x.png',
    'view-source:http://127.0.0.1:{port}/x.png',
    'jar:http://127.0.0.1:{port}/x.png!/',
    'gopher://127.0.0.1:{port}/_GET%20/',
    'ftp://127.0.0.1:{port}/x.png',
    'ws://127.0.0.1:{port}/x.png',
    'dict://127.0.0.1:{port}/x',
    'ldap://127.0.0.1:{port}/x',
    'tftp://127.0.0.1:{port}/x',
    'sftp://127.0.0.1:{port}/x',
    'blob:http://127.0.0.1:{port}/x',
    'http+unix://127.0.0.1:{port}/x',
    'unix:/run/docker.sock',
    'file:///etc/passwd',
    'file:/etc/passwd',
    'FILE:///proc/self/environ',
    'file://127.0.0.1/etc/passwd',
    'file://localhost:{port}/etc/passwd',
    'javascript:fetch("http://127.0.0.1:{port}")',
    'netdoc:///etc/passwd',
    'php://filter/resource=http://127.0.0.1:{port}',
    'C:\\Windows\\win.ini',
    'c:/windows/win.ini',
    '\\\\127.0.0.1\\share\\x.png',
    '\\\\127.0.0.1@{port}\\share\\x.png',
    '//127.0.0.1:{port}\\x.png',
    '/\\127.0.0.1:{port}/x.png',
    '\\/127.0.0.1:{port}/x.png',
    '..\\..\\..\\etc\\passwd',
    '//user@127.0.0.1:{port}/x.png',
    '///127.0.0.1:{port}/x.png',
    '//127.0.0.1:{port}/x.png',
    '//[::1]:{port}/x.png',
    '//localhost:{port}/x.png',
)


def spellings(port: int) -> list[str]:
    """Write each out for a port where somebody listens and counts."""
    hosts = [*HOSTS.split(), *WITH_CONTROLS]
    plain = [f'http://{host}:{port}/x.png' for host in hosts]
    return plain + [url.replace('{port}', str(port)) for url in WHOLE]
