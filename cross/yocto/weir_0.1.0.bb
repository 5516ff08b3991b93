# A recipe for Yocto, of a release with Rust 1.95 or later or with a layer that brings one.
# `bitbake -c update_crates weir` writes weir-crates.inc, the list of crates with their checksums,
# beside it.
SUMMARY = "Store and forward for vehicles"
DESCRIPTION = "Takes messages from local trackers, keeps them in a ring that survives power \
cuts, forwards them in order"
LICENSE = "MIT | Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE-MIT;md5=b377b220f43d747efdec40d69fcaa69d \
                    file://LICENSE-APACHE;md5=1836efb2eb779966696f473ee8540542"

# where the sources are: a release's tarball, or a repository with SRCREV
SRC_URI = "file://weir-${PV}.tar.gz"

inherit cargo cargo-update-recipe-crates systemd useradd
require weir-crates.inc

# what a router needs; leave this line out for everything
CARGO_BUILD_FLAGS:append = " --no-default-features --features router"

SYSTEMD_SERVICE:${PN} = "weir.service"
USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --home-dir /var/lib/weir --shell /sbin/nologin weir"
CONFFILES:${PN} = "${sysconfdir}/weir/weir.toml"
RRECOMMENDS:${PN} = "ca-certificates"

do_install:append() {
    install -D -m 644 ${S}/systemd/weir.toml ${D}${sysconfdir}/weir/weir.toml
    install -D -m 644 ${S}/systemd/weir.service ${D}${systemd_system_unitdir}/weir.service
}

FILES:${PN} += "${systemd_system_unitdir}/weir.service"
