// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Commands;

using Interruption interruption = new();
RootCommand root = new("overlaybd images: convert, attach lazily, run, look inside.")
{
    ConvertCommand.Create(),
    MountCommand.Create(),
    UmountCommand.Create(),
    AttachCommand.Create(),
    DetachCommand.Create(),
    ListCommand.Create(),
    RunCommand.Create(interruption),
    PullCommand.Create(),
    RPullCommand.Create(),
    ObdConvCommand.Create(),
    RecordTraceCommand.Create(interruption),
    InspectCommand.Create(),
    VerifyCommand.Create(),
    ExportCommand.Create(),
    StatsCommand.Create(),
    DoctorCommand.Create(),
};
CommonOptions.AddTo(root);
return await CommandRunner.RunAsync(root, args, interruption);
