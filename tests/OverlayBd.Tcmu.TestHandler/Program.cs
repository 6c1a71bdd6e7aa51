// SPDX-License-Identifier: Apache-2.0

// A handler that can be killed: serves files until its standard input ends, then lets its devices go in an orderly way.
using System.Globalization;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.TestHandler;

if (args.Length is < 1 or > 2)
{
    Console.Error.WriteLine("usage: OverlayBd.Tcmu.TestHandler SUBTYPE [ANNOUNCEMENT-BUFFER]");
    return 2;
}

TcmuHandlerOptions options = new() { Subtype = args[0] };
if (args.Length > 1)
{
    options.AnnouncementBuffer = int.Parse(args[1], CultureInfo.InvariantCulture);
}

await using TcmuHandler handler = await TcmuHandler.StartAsync(new FileFactory(), options);
Console.WriteLine("ready");
while (await Console.In.ReadLineAsync() is not null)
{
}

return 0;
