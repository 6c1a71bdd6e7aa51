// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Terminal;

namespace OverlayBd.Hosts.Tests.Terminal;

public sealed class ByteTextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(15_800_000, "15.1 MiB")]
    [InlineData(1L << 30, "1.00 GiB")]
    [InlineData(64L << 30, "64.0 GiB")]
    [InlineData(long.MaxValue, "8192 PiB")]
    public void Format_OfAnySize_HasThreeDigitsAndAUnit(long bytes, string expected) => Assert.Equal(expected, ByteText.Format(bytes));
}
