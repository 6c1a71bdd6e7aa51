// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containers;
using OverlayBd.Format.Oci;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Containers;

public sealed class ContainerProcessTests : IDisposable
{
    private readonly TempDirectory _root = new();

    [Theory]
    [InlineData(new[] { "entry" }, new[] { "cmd" }, new string[0], "entry cmd")]
    [InlineData(new[] { "entry" }, new[] { "cmd" }, new[] { "mine" }, "entry mine")]
    [InlineData(null, new[] { "cmd", "x" }, new string[0], "cmd x")]
    [InlineData(null, null, new[] { "mine" }, "mine")]
    public void Compose_Command_ReplacesTheImagesCommandOnly(string[]? entrypoint, string[]? command, string[] asked, string expected)
    {
        ContainerProcess process = Compose(new() { Entrypoint = entrypoint, Cmd = command }, new() { Command = asked });
        Assert.Equal(expected, string.Join(' ', process.Arguments));
    }

    [Fact]
    public void Compose_WithoutAnyCommand_Throws() =>
        Assert.Throws<CommandException>(() => Compose(new(), new()));

    [Fact]
    public void Compose_Environment_TakesTheLastOfEachName()
    {
        ContainerProcess process = Compose(
            new() { Cmd = ["x"], Env = ["PATH=/image", "A=1"] }, new() { Environment = ["A=2", "NOT_SET_ANYWHERE"] });
        Assert.Equal(["HOME=/", "PATH=/image", "A=2"], process.Environment);
    }

    public void Dispose() => _root.Dispose();

    private ContainerProcess Compose(ContainerConfig image, ContainerRequest request) =>
        ContainerProcess.Compose(image, request, UserDatabase.Read(_root.Path));
}
