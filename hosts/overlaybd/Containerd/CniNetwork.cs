// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Containerd;

/// <summary>A network of its own for one container, made by CNI's plugins as upstream has it. It goes with this object.</summary>
internal sealed class CniNetwork : IAsyncDisposable
{
    private const string NamespaceFolder = "/var/run/netns";
    private const string BridgeInterface = "eth0";
    private const string LoopbackInterface = "lo";

    // CNI specification 0.3.1; the addresses are upstream's.
    private const string Bridge =
        """
        {"cniVersion":"0.3.1","name":"record-trace-cni","type":"bridge","bridge":"r-trace-br0",
        "isGateway":false,"ipMasq":true,"promiscMode":true,
        "ipam":{"type":"host-local","ranges":[[{"subnet":"10.99.0.0/16"}],[{"subnet":"2001:4860:4860::/64"}]]}}
        """;

    private const string Loopback = """{"cniVersion":"0.3.1","name":"record-trace-lo","type":"loopback"}""";

    private readonly CniPlugins _plugins;
    private readonly string _name;
    private bool _hasBridge;

    private CniNetwork(CniPlugins plugins, string name)
    {
        _plugins = plugins;
        _name = name;
    }

    public string NamespacePath => Path.Combine(NamespaceFolder, _name);

    /// <summary>Makes a network namespace with a loopback and a bridged interface.</summary>
    /// <exception cref="CommandException">A plugin is missing, or failed.</exception>
    public static async Task<CniNetwork> CreateAsync(string name, string pluginDirectory, CancellationToken cancellationToken)
    {
        CniPlugins plugins = CniPlugins.Locate(pluginDirectory, "loopback", "bridge", "host-local");

        // Not abandoned half-way: nobody would know whether there is one to delete.
        await HostProgram.RunAsync("ip", ["netns", "add", name], CancellationToken.None);
        CniNetwork network = new(plugins, name);
        try
        {
            await network.CallAsync("ADD", "loopback", LoopbackInterface, Loopback, cancellationToken);
            network._hasBridge = true;
            await network.CallAsync("ADD", "bridge", BridgeInterface, Bridge, cancellationToken);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_hasBridge)
            {
                await CallAsync("DEL", "bridge", BridgeInterface, Bridge, CancellationToken.None);
            }
        }
        catch (CommandException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
        }

        try
        {
            await HostProgram.RunAsync("ip", ["netns", "delete", _name], CancellationToken.None);
        }
        catch (CommandException e)
        {
            await Console.Error.WriteLineAsync($"The network namespace {_name} is left behind: {e.Message}");
        }
    }

    private Task CallAsync(string command, string plugin, string networkInterface, string config, CancellationToken cancellationToken)
    {
        Dictionary<string, string> environment = new()
        {
            ["CNI_COMMAND"] = command,
            ["CNI_CONTAINERID"] = _name,
            ["CNI_NETNS"] = NamespacePath,
            ["CNI_IFNAME"] = networkInterface,
            ["CNI_PATH"] = _plugins.Directory,
        };
        return HostProgram.RunAsync(_plugins.PathOf(plugin), [], cancellationToken, environment, Encoding.UTF8.GetBytes(config));
    }
}
