// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Tests;

public sealed class TcmuDeviceInfoTests
{
    [Theory]
    [InlineData("tcm-user/999999999/dev_7/overlaybd//var/lib/x/config.v1.json\n", 999999999, "dev_7", "overlaybd", "/var/lib/x/config.v1.json")]
    [InlineData("tcm-user/1/dev_7/overlaybd/a;b", 1, "dev_7", "overlaybd", "a;b")]
    [InlineData("tcm-user/1/dev_7/overlaybd", 1, "dev_7", "overlaybd", "")]
    public void TryParse_OfADevice_TakesItApart(string name, int hba, string device, string subtype, string configuration)
    {
        Assert.True(TcmuDeviceInfo.TryParse(3, name, out TcmuDeviceInfo? info));
        Assert.Equal(new TcmuDeviceInfo(3, hba, device, subtype, configuration), info);
    }

    [Theory]
    [InlineData("")]
    [InlineData("igb0")]
    [InlineData("tcm-user/x/dev/overlaybd/a")]
    [InlineData("tcm-user/1/dev")]
    public void TryParse_OfAnythingElse_IsFalse(string name) => Assert.False(TcmuDeviceInfo.TryParse(3, name, out _));
}
