// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Containers;

namespace OverlayBd.Hosts.Tests.Containers;

public sealed class ContainerMountTests
{
    [Theory]
    [InlineData("type=bind,source=/a,target=/b", "/b bind /a rbind")]
    [InlineData("source=/a,target=/b,readonly", "/b bind /a ro,rbind")]
    [InlineData("type=bind,src=/a,dst=/b,options=bind:ro", "/b bind /a bind,ro")]
    [InlineData("type=tmpfs,target=/b", "/b tmpfs tmpfs ")]
    public void TryParse_OfKnownForms_Succeeds(string text, string expected)
    {
        Assert.True(ContainerMount.TryParse(text, out ContainerMount? mount, out _));
        Assert.Equal(expected, $"{mount!.Destination} {mount.Type} {mount.Source} {string.Join(',', mount.Options)}");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("type=bind,source=/a")]
    [InlineData("type=bind,target=/a")]
    [InlineData("type=bind,source=/a,target=relative")]
    public void TryParse_OfTheRest_SaysWhy(string text)
    {
        Assert.False(ContainerMount.TryParse(text, out _, out string? fault));
        Assert.StartsWith("--mount", fault, StringComparison.Ordinal);
    }
}
